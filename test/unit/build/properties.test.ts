import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasTemplate, interpolate, parseTemplate } from '../../../src/build/properties.ts';

const properties = {
  branch: 'main',
  number: 7,
  clean: true,
  revision: null,
  'a.b-c': 'x',
  tricky: '${{ branch }}',
};

describe('filling in', () => {
  test.each([
    ['no property at all', 'plain $HOME ${X} {{ y }} }}', 'plain $HOME ${X} {{ y }} }}'],
    ['a property', 'on ${{ branch }}!', 'on main!'],
    ['no blanks', '${{branch}}', 'main'],
    ['blanks and newlines around the name', '${{ \n branch\t}}', 'main'],
    ['a number', '#${{ number }}', '#7'],
    ['a boolean', '${{ clean }}', 'true'],
    ['null, which gives nothing', '[${{ revision }}]', '[]'],
    ['dots and dashes in a name', '${{ a.b-c }}', 'x'],
    ['two side by side', '${{ branch }}${{ number }}', 'main7'],
    ['the escape', '$${{ branch }}', '${{ branch }}'],
    ['the escape behind a property', '${{ branch }}$${{', 'main${{'],
    ['a dollar and a property', 'cost $ ${{ number }}', 'cost $ 7'],
    ['a value that looks like a template, once only', '${{ tricky }}', '${{ branch }}'],
  ])('%s', (_, text, expected) => {
    expect(interpolate(text, properties)).toBe(expected);
  });

  test.each([
    [
      'a name that is not there, with the nearest',
      '${{ brnach }}',
      'BBX-BLD-PROPERTY',
      'did you mean "branch"?',
    ],
    ['a name that nothing is near', '${{ zzzzzzzz }}', 'BBX-BLD-PROPERTY', 'has no such property'],
    ['a name of every object', '${{ constructor }}', 'BBX-BLD-PROPERTY', '"constructor"'],
    ['no end', 'x ${{ branch', 'BBX-BLD-TEMPLATE', 'character 3: "${{" has no "}}"'],
    ['no name', '${{ }}', 'BBX-BLD-TEMPLATE', 'no property is named'],
    ['a call', '${{ f(x) }}', 'BBX-BLD-TEMPLATE', '"f(x)" is not the name of a property'],
  ])('refuses %s', (_, text, code, message) => {
    expect(() => interpolate(text, properties)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

test('all problems of a text are found, each with its place', () => {
  expect(parseTemplate('a ${{ }} b ${{ 1x }} c ${{').problems).toEqual([
    { at: 2, length: 6, problem: 'no property is named' },
    { at: 11, length: 9, problem: '"1x" is not the name of a property' },
    { at: 23, length: 3, problem: '"${{" has no "}}"' },
  ]);
});

test.each([
  ['echo ${{ x }}', true],
  ['echo ${{ broken', true],
  ['echo $${{ x }}', false],
  ['echo ${x} {{ y }}', false],
])('"%s" has a template: %s', (text, expected) => {
  expect(hasTemplate(text)).toBe(expected);
});

test('any text, escaped, comes back as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('$', '${{', '}}', '{', 'a', ' ', 'é')), (pieces) => {
      const text = pieces.join('');
      expect(
        interpolate(
          text.replaceAll('${{', () => '$${{'),
          {},
        ),
      ).toBe(text);
    }),
  );
});
