"""How long importing two minutes of 1080p takes, and how much memory:  python -m benchmarks.film_import."""

import subprocess
import tempfile
import time
from pathlib import Path

from tests.live_server import Site

SECONDS = 120
PICTURE = f"mandelbrot=s=1920x1080:r=24,noise=alls=6:allf=t,trim=duration={SECONDS}"
SOUND = f"sine=f=220:d={SECONDS}"
PAUSE = 0.2  # seconds between two looks at the memory


def main() -> None:
    """Make a source that moves everywhere, import it, and say what that took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = made(folder / "source.mp4")
        print(f"source: {SECONDS} s, 1920x1080, {source.stat().st_size / 1e6:.0f} MB", flush=True)
        started = time.monotonic()
        command = Site(folder).command("film", "import", str(source), "--name", "trial")
        peak = 0
        while command.poll() is None:
            peak = max(peak, memory(command.pid))
            time.sleep(PAUSE)
        print(f"imported in {time.monotonic() - started:.0f} s, {peak / 1e6:.0f} MB at most, exit {command.returncode}")


def made(path: Path) -> Path:
    """Write the source and return its path."""
    inputs = ["-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", SOUND]
    coded = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "18",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-t",
        str(SECONDS),
    ]
    subprocess.run(["ffmpeg", "-v", "error", *inputs, *coded, path], check=True)
    return path


def memory(process: int) -> int:
    """Return the memory in bytes of a process and its descendants; shared memory counts for each of them."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:  # it has just ended
        return 0
    return pages * 4096 + sum(memory(int(child)) for child in children)


if __name__ == "__main__":
    main()
