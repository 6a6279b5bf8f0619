/** A text as a Python literal that reads the same in every Python: raw where it has backslashes, so that each stands once. */
export function pythonLiteral(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  if (text.includes('\\') && !/['"\n\r]/.test(text) && !/\\$/.test(text)) return `r${quote}${text}${quote}`;
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll(quote, `\\${quote}`);
  return `${quote}${escaped}${quote}`;
}
