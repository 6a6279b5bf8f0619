import { expect, it } from 'vitest';
import { maskPasswords } from '../../../src/base/mask-passwords.ts';

it.each([
  ['postgres://u:geheim@h/d', 'postgres://u:******@h/d'],
  ['postgres://u:a@b/c d@h/d', 'postgres://u:*******@h/d'],
  ['git: "https://me:pw@host/x" # mail: me@x', 'git: "https://me:**@host/x" # mail: me@x'],
  ['postgres://u@h/d?password=geheim&sslmode=require', 'postgres://u@h/d?password=******&sslmode=require'],
  ['postgres://u@h/d?password=@secrets/db', 'postgres://u@h/d?password=@secrets/db'],
  ['http://host:8080/x', 'http://host:8080/x'],
  ['sqlite:state.sqlite', 'sqlite:state.sqlite'],
])('shows %s as %s', (text, shown) => {
  expect(maskPasswords(text)).toBe(shown);
});
