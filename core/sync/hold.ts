/** Permits that give themselves back at the end of a block. */

/**
 * @param release gives back what was acquired; called once, however often it is disposed of
 */
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
