/**
 * Makes handles with values that are asked for whenever they are read, for what there are thousands of. The accessors stand on one prototype: V8 keeps an
 * object literal with `get` as a dictionary of its own, about a kilobyte each.
 * `values` reads each from what the handle stands for.
 */
export function handlesWith<Source, Values extends object>(values: {
  readonly [Name in keyof Values]: (source: Source) => Values[Name];
}): <Acts extends object>(source: Source, acts: Acts) => Acts & Readonly<Values> {
  class Handle {
    readonly #source: Source;
    constructor(source: Source, acts: object) {
      this.#source = source;
      Object.assign(this, acts);
    }
    static read<Value>(handle: Handle, value: (source: Source) => Value): Value {
      return value(handle.#source);
    }
  }
  for (const name of Object.keys(values) as (keyof Values)[]) {
    const value = values[name];
    Object.defineProperty(Handle.prototype, name, {
      get(this: Handle) {
        return Handle.read(this, value);
      },
    });
  }
  return <Acts extends object>(source: Source, acts: Acts) =>
    new Handle(source, acts) as Handle & Acts & Readonly<Values>;
}
