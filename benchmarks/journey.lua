-- Whole journeys: sign, open the emailed link, confirm, read the receipt. Each supporter confirms long after opening,
-- so that the steps of one never overtake each other. The tokens come from the file in $TOKENS.
local start = tostring(os.time())
local tokens = {}
for line in io.lines(os.getenv("TOKENS")) do tokens[#tokens + 1] = line end
local LAG = 100
local step, round = 0, 0
local form = { ["Content-Type"] = "application/x-www-form-urlencoded", ["Sec-Fetch-Site"] = "same-origin" }

function request()
  step = step % 4 + 1
  if step == 1 then
    round = round + 1
    local body = "given_name=Ada&email=journey" .. start .. "x" .. round .. "%40example" .. (round % 500)
      .. ".org&country=GB&lang=en"
    return wrk.format("POST", "/sign", form, body)
  end
  local token = tokens[(round - (step - 2) * LAG) % #tokens + 1]
  if step == 2 then return wrk.format("GET", "/confirm/" .. token) end
  if step == 3 then return wrk.format("POST", "/confirm/" .. token, form, "") end
  return wrk.format("GET", "/receipt/" .. token)
end
