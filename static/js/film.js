// The player: the browser's own <video> with a play button, captions to choose, chapters, and an invitation at the end.

const MARKS = [0, 25, 50, 75, 100];
const ALMOST = 97; // percent of the film that count as all of it: nobody waits for the last frame

const frame = document.querySelector("[data-film]");
const video = frame.querySelector("video");
if (video) playHere();
else playElsewhere(frame.querySelector("[data-frame]"));

function playHere() {
  const part = (name) => frame.querySelector(`[data-${name}]`);
  const [playButton, end, captions] = [part("play"), part("end"), part("captions")];
  let wanted = momentIn(location.hash); // where to start, in seconds; null once it has begun

  video.controls = false;
  playButton.hidden = false;
  frame.dataset.ready = "";
  if (wanted) part("length").textContent = clock(wanted);

  playButton.addEventListener("click", start);
  part("again").addEventListener("click", () => start(jump(0)));
  video.addEventListener("play", began);
  video.addEventListener("playing", () => (video.controls = true));
  video.addEventListener("ended", ended);
  video.addEventListener("timeupdate", moved);
  video.addEventListener("error", () => (video.hasAttribute("src") ? playFiles() : failed()));
  video.querySelector("source:last-of-type").addEventListener("error", failed);
  addEventListener("hashchange", () => {
    const moment = momentIn(location.hash);
    if (moment !== null) start(jump(moment));
  });
  // A chapter that was just watched has its address already, so following its link again changes nothing by itself.
  part("chapters")?.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link && link.hash === location.hash) start(jump(momentIn(link.hash)));
  });
  choosingCaptions(captions);
  describing(part("seen"));
  sharingMoments(part("moment"), part("told"));
  counting();

  function jump(moment) {
    wanted = moment;
  }

  async function start() {
    playButton.hidden = end.hidden = true;
    video.controls = true;
    await fit();
    if (wanted !== null) goTo(wanted);
    wanted = null;
    video.focus({ preventScroll: true });
    if (!inView(video)) video.scrollIntoView({ block: "center" });
    await video.play().catch(() => {}); // not allowed: the controls are there
  }

  function began() {
    playButton.hidden = end.hidden = true;
    if (!captions || captions.dataset.touched) return;
    captions.dataset.touched = "true";
    showCaptions(captions.dataset.default);
  }

  function moved() {
    const now = video.currentTime;
    const links = [...frame.querySelectorAll("[data-at]")];
    const current = links.findLast((link) => now >= Number(link.dataset.at) - 0.05);
    for (const link of links) {
      if (link === current) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
  }

  async function ended() {
    const hadFocus = frame.contains(document.activeElement) || document.fullscreenElement;
    if (document.fullscreenElement) await document.exitFullscreen();
    video.webkitExitFullscreen?.();
    video.controls = false;
    end.hidden = false;
    if (hadFocus) end.querySelector("a").focus({ preventScroll: true });
  }

  function failed() {
    playButton.hidden = end.hidden = true;
    part("failed").hidden = false;
  }
}

// A long film adapts to the connection: by itself where the browser can, else with hls.js.
async function fit() {
  const playlist = video.dataset.hls;
  if (!playlist || video.dataset.adapts) return;
  video.dataset.adapts = "true";
  if (video.canPlayType("application/vnd.apple.mpegurl")) {
    video.src = playlist;
    return;
  }
  try {
    const { default: Hls } = await import(video.dataset.hlsPlayer);
    if (Hls.isSupported()) adapt(Hls, playlist);
  } catch {
    // The player did not come: the files do.
  }
}

function adapt(Hls, playlist) {
  const player = new Hls({ enableWorker: false, capLevelToPlayerSize: true });
  player.on(Hls.Events.ERROR, (_event, { fatal }) => {
    if (!fatal) return;
    player.destroy();
    playFiles();
  });
  player.loadSource(playlist);
  player.attachMedia(video);
}

// When adapting fails, the files that stand in the page are played from where it was.
function playFiles() {
  const moment = video.currentTime;
  video.removeAttribute("src");
  video.load();
  goTo(moment);
  video.play().catch(() => {});
}

function goTo(moment) {
  const go = () => (video.currentTime = moment);
  // Not every browser remembers where to start before it knows how long the film is.
  if (video.readyState >= HTMLMediaElement.HAVE_METADATA) go();
  else video.addEventListener("loadedmetadata", go, { once: true });
}

function choosingCaptions(select) {
  if (!select) return;
  select.addEventListener("change", () => {
    select.dataset.touched = "true";
    showCaptions(select.value);
  });
  video.textTracks.addEventListener("change", () => {
    const shown = [...video.textTracks].find((track) => track.kind === "captions" && track.mode === "showing");
    select.value = shown?.language ?? "";
  });
}

function showCaptions(language) {
  for (const track of video.textTracks) {
    if (track.kind === "captions") track.mode = track.language === language ? "showing" : "disabled";
  }
}

// Screen readers say what is seen, from the film's descriptions.
function describing(place) {
  const track = [...video.textTracks].find(({ kind }) => kind === "descriptions");
  if (!track) return;
  video.addEventListener("play", () => (track.mode = "hidden"), { once: true });
  track.addEventListener("cuechange", () => (place.textContent = track.activeCues?.[0]?.text ?? ""));
}

function sharingMoments(button, told) {
  if (!button) return;
  const label = () => button.dataset.label.replace("{time}", clock(video.currentTime));
  video.addEventListener("timeupdate", () => {
    button.textContent = label();
    if (video.currentTime >= 1) button.dataset.begun = "";
  });
  button.addEventListener("click", async () => {
    const url = `${button.dataset.moment}#t=${Math.floor(video.currentTime)}`;
    try {
      if (navigator.share) await navigator.share({ url });
      else {
        await navigator.clipboard.writeText(url);
        button.textContent = told.textContent = button.dataset.copied;
      }
    } catch {
      location.replace(`#t=${Math.floor(video.currentTime)}`); // not allowed: the address bar has it now
    }
  });
}

// Counts what was really watched, not where somebody jumped to. Nothing that tells one visitor from another is sent.
function counting() {
  const due = [...MARKS];
  const tell = () => {
    const all = video.duration || Infinity;
    const ranges = Array.from({ length: video.played.length }, (_, i) => video.played.end(i) - video.played.start(i));
    const percent = (100 * ranges.reduce((sum, seconds) => sum + seconds, 0)) / all;
    while (due.length && (percent >= due[0] || (due[0] === 100 && percent >= ALMOST))) count(due.shift());
  };
  for (const name of ["playing", "timeupdate", "ended"]) video.addEventListener(name, tell);
}

function count(percent) {
  navigator.sendBeacon?.(frame.dataset.watched, new URLSearchParams({ percent, lang: frame.dataset.lang }));
}

function playElsewhere(link) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const player = Object.assign(document.createElement("iframe"), {
      className: "film-video",
      src: link.dataset.frame,
      title: link.dataset.title,
      allow: "autoplay; encrypted-media; fullscreen; picture-in-picture",
      allowFullscreen: true,
      // Players there refuse to play when they are not told which site shows them; the page's address stays ours.
      referrerPolicy: "strict-origin",
    });
    link.replaceWith(player);
    player.focus();
    count(0);
  });
}

function momentIn(hash) {
  const found = /^#t=(\d+(?:\.\d+)?)$/.exec(hash);
  return found ? Number(found[1]) : null;
}

function clock(seconds) {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  return `${minutes}:${String(rest).padStart(2, "0")}`;
}

function inView(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}
