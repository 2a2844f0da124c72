/*
 * What programs that make previews read of pages, as one JSON document:
 *
 *     node tools/audit/previews.mjs http://127.0.0.1:8000/en/ …     (in the folder that has node_modules)
 *
 * {address: {client: {title, description, image, …, warnings: []}}}; null is what a client does not say.
 * The clients run as their own documentation has it; only what they say is brought into one form.
 */

import { createRequire } from "node:module";
import { resolve } from "node:path";

const need = createRequire(resolve("package.json"));
const FIELDS = [
  "type", "title", "description", "site", "url", "locale",
  "image", "image_type", "image_width", "image_height", "image_alt",
  "video", "video_type", "video_width", "video_height",
  "player", "player_width", "player_height",
];

const openGraphScraper = need("open-graph-scraper");
const { unfurl } = need("unfurl.js");
const oembed = need("@extractus/oembed-extractor");
const metascraper = need("metascraper")(
  ["title", "description", "url", "lang", "image", "video"].map((rule) => need(`metascraper-${rule}`)()),
);

oembed.setProviderList([]); // so that it asks nobody but the page

const CLIENTS = {
  async "open-graph-scraper"(url) {
    const { result } = await openGraphScraper({ url, jsonLDOptions: { throwOnJSONParseError: true } });
    return {
      type: result.ogType,
      title: result.ogTitle,
      description: result.ogDescription,
      site: result.ogSiteName,
      url: result.ogUrl,
      locale: result.ogLocale,
      ...medium("image", result.ogImage?.[0]),
      ...medium("video", result.ogVideo?.[0]),
      ...medium("player", result.twitterPlayer?.[0]),
    };
  },

  async "unfurl.js"(url) {
    const { open_graph: graph = {}, twitter_card: card = {} } = await unfurl(url);
    return {
      type: graph.type,
      title: graph.title,
      description: graph.description,
      site: graph.site_name,
      url: graph.url,
      locale: graph.locale,
      ...medium("image", graph.images?.[0]),
      ...medium("video", graph.videos?.[0]),
      ...medium("player", card.players?.[0]),
    };
  },

  async metascraper(url) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(response.statusText);
    const { lang, ...read } = await metascraper({ url, html: await response.text() });
    return { ...read, locale: lang };
  },

  async oembed(url) {
    const answer = await oembed.extract(url);
    return {
      type: answer.type,
      title: answer.title,
      site: answer.provider_name,
      image: answer.thumbnail_url,
      image_width: answer.thumbnail_width,
      image_height: answer.thumbnail_height,
      player: / src="([^"]*)"/.exec(answer.html)?.[1].replaceAll("&amp;", "&"),
      player_width: answer.width,
      player_height: answer.height,
    };
  },
};

const read = {};
for (const url of process.argv.slice(2)) {
  read[url] = {};
  for (const [name, client] of Object.entries(CLIENTS)) read[url][name] = await asked(client, url);
}
process.stdout.write(JSON.stringify(read));

/** Returns what a client reads at `url`, in one form, with whatever it complains of. */
async function asked(client, url) {
  const { warnings, stop } = listen();
  const answer = await client(url).catch((failure) => {
    warnings.push(failure.result?.error ?? failure.message); // open-graph-scraper throws an object of its own
    return {};
  });
  stop();
  const known = FIELDS.map((field) => [field, answer[field] ?? null]);
  return { ...Object.fromEntries(known), warnings };
}

/** Gathers what is written to the console, until it is stopped. */
function listen() {
  const { warn, error } = console;
  const warnings = [];
  console.warn = console.error = (...said) => warnings.push(said.join(" "));
  return { warnings, stop: () => Object.assign(console, { warn, error }) };
}

function medium(kind, { url, type, width, height, alt } = {}) {
  return {
    [kind]: url,
    [`${kind}_type`]: type,
    [`${kind}_width`]: pixels(width),
    [`${kind}_height`]: pixels(height),
    [`${kind}_alt`]: alt,
  };
}

function pixels(said) {
  return said === undefined ? undefined : Number(said);
}
