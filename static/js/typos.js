// Typing errors in the domains of well-known mail providers. A hint only: every address is taken as it was typed.

const DOMAINS = (
  "aol.com bol.com.br email.com free.fr gmail.com gmx.at gmx.com gmx.de gmx.net googlemail.com hotmail.com hotmail.es hotmail.fr hotmail.it " +
  "icloud.com inbox.ru laposte.net libero.it live.com mail.com mail.ru orange.fr outlook.com proton.me protonmail.com rambler.ru " +
  "sapo.pt t-online.de terra.com.br uol.com.br web.de yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.it yandex.ru ymail.com ziggo.nl"
).split(" ");
const SHORT = 8; // domains shorter than this are too like one another

// The address that was probably meant, or null: its domain is one mistake away from a known one, two in a long one.
// A known name with the ending of another country is no mistake: the hint would lead to somebody else's mailbox.
export function meant(address) {
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1).trim().toLowerCase();
  if (at < 1 || DOMAINS.includes(domain) || isNational(domain)) return null;
  const near = DOMAINS.map((known) => [distance(domain, known), known]).sort(([one], [other]) => one - other)[0];
  const [mistakes, known] = near;
  return mistakes <= (known.length > SHORT ? 2 : 1) ? `${address.slice(0, at)}@${known}` : null;
}

function isNational(domain) {
  const [name, ...ending] = domain.split(".");
  const country = ending.at(-1)?.length === 2 && ending.join(".") !== "co"; // "co" alone is rather "com" cut short
  return country && DOMAINS.some((known) => known.startsWith(`${name}.`));
}

// How many letters were left out, added, replaced or swapped (optimal string alignment distance).
function distance(one, other) {
  const rows = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= one.length; row++) {
    rows[row] = [row];
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1] ? 0 : 1;
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      rows[row][column] = Math.min(
        rows[row - 1][column] + 1,
        rows[row][column - 1] + 1,
        rows[row - 1][column - 1] + same,
        swapped ? rows[row - 2][column - 2] + 1 : Infinity,
      );
    }
  }
  return rows[one.length][other.length];
}
