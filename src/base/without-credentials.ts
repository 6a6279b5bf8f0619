/**
 * A text, such as a URL or a line of git's that holds some, without what stands before the `@` of a URL; of ssh URLs only a password is
 * left out, as their user is part of the address.
 */
export function withoutCredentials(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)([^\s/'"]*)@/gi, (_, scheme: string, user: string) =>
    /ssh/i.test(scheme) ? `${scheme}${user.split(':')[0]}@` : scheme,
  );
}
