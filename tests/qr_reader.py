"""Reads QR codes off pictures as phones do, with ZXing: OpenCV's reader gives up on one readable code in a hundred."""

import numpy as np
import zxingcpp


def read_qr_code(picture: np.ndarray) -> str:
    """Return the text of the QR code in `picture` (grey or RGB pixels); empty if none can be read."""
    code = zxingcpp.read_barcode(picture)
    return code.text if code else ""
