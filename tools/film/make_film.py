"""Makes "Two lines on ice", the film that ships with the campaign: picture, score, files to play, posters, captions.

Needs ffmpeg and the development requirements:  .venv/bin/python tools/film/make_film.py

With --keep the picture without loss stays in that file, and is not drawn again the next time.
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process a core is enough

from captions import write_texts
from encoding import write_files, write_picture, write_posters, write_sound


def main() -> None:
    """Make all files in the folder that is named."""
    parser = argparse.ArgumentParser(description="Makes the film that ships with the campaign.")
    parser.add_argument("--out", type=Path, default=Path("static/film"), help="folder (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="file (.mkv) for the picture without loss")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        picture, sound = options.keep or Path(folder) / "picture.mkv", Path(folder) / "sound.wav"
        if not picture.exists():
            write_picture(picture)
        write_sound(sound)
        write_files(picture, sound, options.out)
    write_posters(options.out)
    write_texts(options.out)


if __name__ == "__main__":
    main()
