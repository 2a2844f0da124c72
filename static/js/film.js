// The player: the browser's own <video> with a play button, a caption menu, chapters, and an end screen.

const PROGRESS_MARKS = [0, 25, 50, 75, 100];
const COMPLETE_PERCENT = 97; // percent that count as the whole film: few people wait for the last frame

const section = document.querySelector("[data-film]");
const video = section.querySelector("video");
if (video) initPlayer();
else initExternalPlayer(section.querySelector("[data-player-url]"));

function initPlayer() {
  const find = (name) => section.querySelector(`[data-${name}]`);
  const [playButton, endScreen, captions] = [find("play-button"), find("end-screen"), find("captions")];
  let startTime = timeFromHash(location.hash); // in seconds; null once the film has started

  video.controls = false;
  playButton.hidden = false;
  section.dataset.ready = "";
  if (startTime) find("duration").textContent = formatTime(startTime);

  playButton.addEventListener("click", start);
  find("replay").addEventListener("click", () => start(setStartTime(0)));
  video.addEventListener("play", onPlay);
  video.addEventListener("playing", () => (video.controls = true));
  video.addEventListener("ended", onEnded);
  video.addEventListener("timeupdate", highlightChapter);
  video.addEventListener("error", () => (video.hasAttribute("src") ? playFallbackFiles() : showError()));
  video.querySelector("source:last-of-type").addEventListener("error", showError);
  addEventListener("hashchange", () => {
    const time = timeFromHash(location.hash);
    if (time !== null) start(setStartTime(time));
  });
  // The URL already has the fragment of the current chapter, so a second click on its link fires no hashchange.
  find("chapters")?.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link && link.hash === location.hash) start(setStartTime(timeFromHash(link.hash)));
  });
  initCaptions(captions);
  initDescriptions(find("description-output"));
  initTimeSharing(find("share-time"), find("share-status"));
  trackProgress();

  function setStartTime(time) {
    startTime = time;
  }

  async function start() {
    playButton.hidden = endScreen.hidden = true;
    video.controls = true;
    await loadStream();
    if (startTime !== null) seek(startTime);
    startTime = null;
    video.focus({ preventScroll: true });
    if (!isInView(video)) video.scrollIntoView({ block: "center" });
    await video.play().catch(() => {}); // autoplay was refused: the controls are visible
  }

  function onPlay() {
    playButton.hidden = endScreen.hidden = true;
    if (!captions || captions.dataset.userChanged) return;
    captions.dataset.userChanged = "true";
    showCaptions(captions.dataset.defaultLanguage);
  }

  function highlightChapter() {
    const now = video.currentTime;
    const links = [...section.querySelectorAll("[data-start]")];
    const current = links.findLast((link) => now >= Number(link.dataset.start) - 0.05);
    for (const link of links) {
      if (link === current) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
  }

  async function onEnded() {
    const hadFocus = section.contains(document.activeElement) || document.fullscreenElement;
    if (document.fullscreenElement) await document.exitFullscreen();
    video.webkitExitFullscreen?.();
    video.controls = false;
    endScreen.hidden = false;
    if (hadFocus) endScreen.querySelector("a").focus({ preventScroll: true });
  }

  function showError() {
    playButton.hidden = endScreen.hidden = true;
    find("playback-error").hidden = false;
  }
}

// Long films are streamed with HLS: natively if the browser supports it, else with hls.js.
async function loadStream() {
  const playlist = video.dataset.hls;
  if (!playlist || video.dataset.isAdaptive) return;
  video.dataset.isAdaptive = "true";
  if (video.canPlayType("application/vnd.apple.mpegurl")) {
    video.src = playlist;
    return;
  }
  try {
    const { default: Hls } = await import(video.dataset.hlsPlayer);
    if (Hls.isSupported()) attachHls(Hls, playlist);
  } catch {
    // hls.js could not be loaded: the browser plays the files.
  }
}

function attachHls(Hls, playlist) {
  const player = new Hls({ enableWorker: false, capLevelToPlayerSize: true });
  player.on(Hls.Events.ERROR, (_event, { fatal }) => {
    if (!fatal) return;
    player.destroy();
    playFallbackFiles();
  });
  player.loadSource(playlist);
  player.attachMedia(video);
}

// If streaming fails, play the files in the page from the same position.
function playFallbackFiles() {
  const time = video.currentTime;
  video.removeAttribute("src");
  video.load();
  seek(time);
  video.play().catch(() => {});
}

function seek(time) {
  const setTime = () => (video.currentTime = time);
  // Some browsers ignore a start time that is set before the metadata are loaded.
  if (video.readyState >= HTMLMediaElement.HAVE_METADATA) setTime();
  else video.addEventListener("loadedmetadata", setTime, { once: true });
}

function initCaptions(select) {
  if (!select) return;
  select.addEventListener("change", () => {
    select.dataset.userChanged = "true";
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

// Screen readers announce the film's audio descriptions.
function initDescriptions(output) {
  const track = [...video.textTracks].find(({ kind }) => kind === "descriptions");
  if (!track) return;
  video.addEventListener("play", () => (track.mode = "hidden"), { once: true });
  track.addEventListener("cuechange", () => (output.textContent = track.activeCues?.[0]?.text ?? ""));
}

function initTimeSharing(button, status) {
  if (!button) return;
  const label = () => button.dataset.labelTemplate.replace("{time}", formatTime(video.currentTime));
  video.addEventListener("timeupdate", () => {
    button.textContent = label();
    if (video.currentTime >= 1) button.dataset.started = "";
  });
  button.addEventListener("click", async () => {
    const url = `${button.dataset.shareTime}#t=${Math.floor(video.currentTime)}`;
    try {
      if (navigator.share) await navigator.share({ url });
      else {
        await navigator.clipboard.writeText(url);
        button.textContent = status.textContent = button.dataset.copiedLabel;
      }
    } catch {
      location.replace(`#t=${Math.floor(video.currentTime)}`); // not allowed: show the link in the address bar
    }
  });
}

// Counts the parts that were played, not skipped. The request does not identify the visitor.
function trackProgress() {
  const remaining = [...PROGRESS_MARKS];
  const reportProgress = () => {
    const length = video.duration || Infinity;
    const ranges = Array.from({ length: video.played.length }, (_, i) => video.played.end(i) - video.played.start(i));
    const percent = (100 * ranges.reduce((sum, seconds) => sum + seconds, 0)) / length;
    while (remaining.length && (percent >= remaining[0] || (remaining[0] === 100 && percent >= COMPLETE_PERCENT))) sendProgress(remaining.shift());
  };
  for (const name of ["playing", "timeupdate", "ended"]) video.addEventListener(name, reportProgress);
}

function sendProgress(percent) {
  navigator.sendBeacon?.(section.dataset.watchCountUrl, new URLSearchParams({ percent, lang: section.dataset.lang }));
}

function initExternalPlayer(link) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const player = Object.assign(document.createElement("iframe"), {
      className: "film-video",
      src: link.dataset.playerUrl,
      title: link.dataset.title,
      allow: "autoplay; encrypted-media; fullscreen; picture-in-picture",
      allowFullscreen: true,
      // External players need the origin of the embedding site; they do not get the URL of the page.
      referrerPolicy: "strict-origin",
    });
    link.replaceWith(player);
    player.focus();
    sendProgress(0);
  });
}

function timeFromHash(hash) {
  const match = /^#t=(\d+(?:\.\d+)?)$/.exec(hash);
  return match ? Number(match[1]) : null;
}

function formatTime(seconds) {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  return `${minutes}:${String(rest).padStart(2, "0")}`;
}

function isInView(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}
