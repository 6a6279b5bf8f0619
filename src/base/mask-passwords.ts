/** `//user:password@`, up to the last `@` before a quote: a password may hold nearly everything. */
const IN_ADDRESS = /(\/\/[^\s:@/"']*:)([^"'\n]*)(?=@)/g;
/** `password=word`, as PostgreSQL's addresses may have it; `password=@FILE` is no secret. */
const AS_OPTION = /(password=)(?!@)([^\s&"']+)/g;

/** A text for people with stars in the place of passwords that stand in addresses, each character one, so that columns stay. */
export function maskPasswords(text: string): string {
  const hide = (_: string, before: string, password: string) => before + '*'.repeat(password.length);
  return text.replaceAll(IN_ADDRESS, hide).replaceAll(AS_OPTION, hide);
}
