/** One server-sent event. */
export interface ServerSentEvent {
  id: string | undefined;
  data: string;
}

/** Longest line and longest event taken, in characters: a farm's events are a few hundred. */
const MAX_CHARS = 1_048_576;

/**
 * Reads server-sent events (WHATWG HTML, 9.2.6) out of text that comes in pieces split anywhere: `push` gives the events that a piece
 * completes. Comments and unknown fields are left out. Throws RangeError on a line without end.
 */
export function createSseReader(): { push(text: string): ServerSentEvent[] } {
  let rest = '';
  let id: string | undefined;
  let data: string[] = [];
  let size = 0;

  const take = (line: string): ServerSentEvent | undefined => {
    if (line === '') {
      if (data.length === 0) return undefined;
      const event = { id, data: data.join('\n') };
      data = [];
      size = 0;
      return event;
    }
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'id' && value !== undefined && !value.includes('\0')) id = value;
    if (field === 'data') {
      data.push(value ?? '');
      size += line.length;
      if (size > MAX_CHARS) throw new RangeError(`an event is longer than ${MAX_CHARS} characters`);
    }
    return undefined;
  };

  return {
    push(text) {
      const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      if (rest.length > MAX_CHARS) throw new RangeError(`a line is longer than ${MAX_CHARS} characters`);
      return lines.map(take).filter((event) => event !== undefined);
    },
  };
}
