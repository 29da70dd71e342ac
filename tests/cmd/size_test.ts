import assert from "node:assert/strict";
import { formatLimit, formatSize, parseSize } from "../../core/size.ts";

Deno.test("sizes are parsed in powers of 1000 and of 1024", () => {
  const sizes: Record<string, number> = {
    "0": 0,
    "1000000": 1e6,
    "7B": 7,
    "500k": 500_000,
    "500 kB": 500_000,
    "1.5MB": 1_500_000,
    "1mib": 1048576,
    "20GiB": 20 * 1024 ** 3,
    "20Gi": 20 * 1024 ** 3,
    "1T": 1e12,
  };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseSize(text), bytes, text);
});

Deno.test("other texts are not sizes", () => {
  for (
    const text of ["", "x", "-1", "1e9", "1 000", "GiB", "1XB", "1.", "10000PB", "1kk", "0x10"]
  ) {
    assert.equal(parseSize(text), undefined, text);
  }
});

Deno.test("sizes are formatted with three digits", () => {
  const sizes: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [9994, "9.99 kB"],
    [9996, "10.0 kB"],
    [99_960, "100 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [1e12, "1.00 TB"],
    [5e18, "5000 PB"],
  ];
  for (const [bytes, text] of sizes) assert.equal(formatSize(bytes), text);
  assert.equal(formatLimit(null), "none");
});

Deno.test("a limit is formatted in the units that it was set in", () => {
  for (const text of ["20 GiB", "1 MiB", "1.50 GiB", "20 GB", "1 MB", "500 kB", "999 B", "1 KiB"]) {
    assert.equal(formatLimit(parseSize(text)!), text);
  }
});
