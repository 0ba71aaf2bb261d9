/**
 * Remember an object, or a list: as long as each of its fields is the same, the one given before is given again. So a `$derived` of many
 * props changes only when one of them has, whatever else the props' owner has told.
 */
export function steady<T extends object>(): (next: T) => T {
  let before: T | null = null;
  return (next) => {
    const keys = Object.keys(next) as (keyof T)[];
    const isSame = before !== null && keys.length === Object.keys(before).length && keys.every((key) => key in (before as T) && Object.is((before as T)[key], next[key]));
    return isSame && before ? before : (before = next);
  };
}
