-- Sends the form of the page over and over, each time from another supporter.
local number = 0
local start = tostring(os.time())

function request()
  number = number + 1
  local body = "given_name=Ada&family_name=Example&email=ada" .. start .. "x" .. number .. "%40example" .. (number % 500)
    .. ".org&country=GB&message=Love+always+wins&lang=en&updates=on"
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded", ["Sec-Fetch-Site"] = "same-origin" }
  return wrk.format("POST", "/sign", headers, body)
end
