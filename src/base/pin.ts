/** Whether a text has the form of a pin, which names a public key: `sha256:` and 32 bytes in base64url, without padding. */
export function isPin(text: string): boolean {
  // 43 characters hold 258 bits: the last one has two bits that must be zero, or two texts would be one pin.
  return /^sha256:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text);
}
