// Typing errors in the domains of well-known mail providers. A hint only: the server accepts every address as typed.

const DOMAINS = (
  "aol.com bol.com.br email.com free.fr gmail.com gmx.at gmx.com gmx.de gmx.net googlemail.com hotmail.com hotmail.es hotmail.fr hotmail.it " +
  "icloud.com inbox.ru laposte.net libero.it live.com mail.com mail.ru orange.fr outlook.com proton.me protonmail.com rambler.ru " +
  "sapo.pt t-online.de terra.com.br uol.com.br web.de yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.it yandex.ru ymail.com ziggo.nl"
).split(" ");
const SHORT_LENGTH = 8; // short domains resemble one another, so they are only corrected by one letter

// Returns the likely intended address, or null. Its domain differs from a known one by one letter, or two if it is long.
// A known name under another country's domain is correct: a suggestion could lead to another person's mailbox.
export function suggestEmail(address) {
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1).trim().toLowerCase();
  if (at < 1 || DOMAINS.includes(domain) || isNational(domain)) return null;
  const nearest = DOMAINS.map((known) => [distance(domain, known), known]).sort(([one], [other]) => one - other)[0];
  const [mistakes, known] = nearest;
  return mistakes <= (known.length > SHORT_LENGTH ? 2 : 1) ? `${address.slice(0, at)}@${known}` : null;
}

function isNational(domain) {
  const [name, ...ending] = domain.split(".");
  const country = ending.at(-1)?.length === 2 && ending.join(".") !== "co"; // "co" is more likely a truncated "com"
  return country && DOMAINS.some((known) => known.startsWith(`${name}.`));
}

// Returns the optimal string alignment distance: letters omitted, added, replaced or swapped.
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
