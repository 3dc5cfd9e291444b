// Text to bytes and back. The engine in components has no TextEncoder, and its native functions,
// however odd their way, are many times faster than a loop in JavaScript.

const LONE_SURROGATES = /\p{Surrogate}/gu;
const NOT_ASCII = /[^\x00-\x7f]/;

/** The bytes of a text; a lone surrogate becomes U+FFFD. */
export function encode(text) {
  const binary = NOT_ASCII.test(text) ? unescape(encodeURIComponent(wellFormed(text))) : text;
  if (Uint8Array.fromBase64) {
    return Uint8Array.fromBase64(btoa(binary));
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i += 1) {
    bytes[i] = binary.charCodeAt(i);
  }
  return bytes;
}

/** The text with U+FFFD in place of each half of a surrogate pair. */
export function wellFormed(text) {
  return text.toWellFormed ? text.toWellFormed() : text.replace(LONE_SURROGATES, "\ufffd");
}

/** The text of bytes; bytes that are no UTF-8 are a TypeError. */
export function decode(bytes) {
  const binary = binaryOf(bytes);
  if (!NOT_ASCII.test(binary)) {
    return binary;
  }
  try {
    return decodeURIComponent(escape(binary));
  } catch {
    throw new TypeError("the bytes are no UTF-8");
  }
}

/** The same, with U+FFFD in place of what is no UTF-8. */
export function decodeLossy(bytes) {
  try {
    return decode(bytes);
  } catch {
    return replaceInvalid(bytes);
  }
}

/** A character for each byte. */
function binaryOf(bytes) {
  if (bytes.toBase64) {
    return atob(bytes.toBase64());
  }
  // As many arguments as every engine takes in one call.
  const step = 8192;
  let binary = "";
  for (let i = 0; i < bytes.length; i += step) {
    binary += String.fromCharCode.apply(null, bytes.subarray(i, i + step));
  }
  return binary;
}

/** Piece by piece: a sequence that decodes stays, a byte that starts none is replaced. */
function replaceInvalid(bytes) {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at];
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    try {
      text += decode(bytes.subarray(at, at + length));
      at += length;
    } catch {
      text += "\ufffd";
      at += 1;
    }
  }
  return text;
}
