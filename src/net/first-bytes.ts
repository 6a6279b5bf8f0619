/** What a peer speaks, by how it begins. */
export type Spoken =
  'http' | 'ssh' | 'smtp' | 'ftp' | 'imap' | 'pop3' | 'pb' | 'tls' | 'redis' | 'mysql' | 'other';

/** A stock Buildbot master's first word: a banana list of two strings, `pb` and `none`. */
const PB_GREETING = Buffer.from('02800282706204826e6f6e65', 'hex');

/** Names the protocol of a server's first bytes; `other` for what none of the usual ones says. */
export function guessSpoken(bytes: Uint8Array): Spoken {
  const buffer = Buffer.from(bytes);
  const text = buffer.toString('latin1');
  if (/^HTTP\/\d/.test(text)) return 'http';
  if (text.startsWith('SSH-')) return 'ssh';
  if (/^220[ -].*\b(?:ftp|vsFTPd)\b/i.test(text)) return 'ftp';
  if (/^220[ -]/.test(text)) return 'smtp';
  if (/^\* (?:OK|PREAUTH|BYE)\b/.test(text)) return 'imap';
  if (text.startsWith('+OK')) return 'pop3';
  if (text.startsWith('-ERR')) return 'redis';
  if (
    buffer.length >= 6 &&
    buffer.subarray(0, PB_GREETING.length).equals(PB_GREETING.subarray(0, buffer.length))
  )
    return 'pb';
  // An alert or handshake record of TLS.
  if ((buffer[0] === 0x15 || buffer[0] === 0x16) && buffer[1] === 0x03) return 'tls';
  // A packet of four bytes of length, then version 10 of the handshake.
  if (buffer[3] === 0 && buffer[4] === 0x0a && buffer.length > 5) return 'mysql';
  return 'other';
}

/** The date that an HTTP answer carries, epoch ms; its resolution is a second. */
export function httpDate(answer: string): number | null {
  const [, text] = /^date:[ \t]*(.{10,40}?)[ \t]*\r?$/im.exec(answer) ?? [];
  const date = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(date) ? null : date;
}
