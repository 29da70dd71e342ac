export const growthNames = ["size"];
export function benchGrowth(_: unknown): Promise<unknown> {
  return Promise.resolve();
}
