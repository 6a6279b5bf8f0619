import type { LinkEventObject } from '../api/objects.ts';
import type { Style } from './terminal/print.ts';
import { span } from './terminal/span.ts';

/** A lost link in a line: `lost 12:03:11–12:03:13 (2.1 s): worker's address changed from … to …, nothing lost`. */
export function linkWords(event: LinkEventObject, style: Style): string {
  const { lost_at, back_at, seconds, words } = event;
  const from = moment(lost_at, style);
  if (back_at === null || seconds === null) return `lost since ${from}: ${words}`;
  const to = moment(back_at, style, lost_at);
  // An ISO time has dashes of its own; a program finds a slash between two as ISO 8601 has it.
  return `lost ${from}${style.short ? '–' : '/'}${to} (${span(seconds)}): ${words}`;
}

/** A moment as people say it: the time of day, with the day when it is not today's or that of the moment before. */
function moment(at: number, style: Style, before = Date.now() / 1000): string {
  const date = new Date(at * 1000);
  if (!style.short) return date.toISOString();
  const time = date.toLocaleTimeString('en-GB');
  const day = date.toLocaleDateString('en-CA');
  return day === new Date(before * 1000).toLocaleDateString('en-CA') ? time : `${day} ${time}`;
}
