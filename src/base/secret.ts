/**
 * A value that must not be seen: it prints, inspects and serialises as `***`. Only `reveal()` gives it out, and only the place that
 * hands it to a process, a file of mode 0600 or the authenticated link calls that.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '***';
  }
}
