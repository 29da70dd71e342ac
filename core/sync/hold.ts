/** Returns a disposable that calls `release` once, for a `using` declaration. */
export function holding(release: () => void): Disposable {
  let held = true;
  return {
    [Symbol.dispose]() {
      if (!held) return;
      held = false;
      release();
    },
  };
}
