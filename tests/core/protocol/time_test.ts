/** Times in the format of RFC 3339: valid ones are parsed, those that do not exist are refused. */
import assert from "node:assert/strict";
import { parseTime } from "../../../core/protocol/time.ts";

const noon = Date.UTC(2026, 2, 1, 12);

Deno.test("every form that RFC 3339 allows is parsed", () => {
  const times: Record<string, number> = {
    "2026-03-01T12:00:00Z": noon,
    "2026-03-01t12:00:00z": noon,
    "2026-03-01T14:30:00+02:30": noon,
    "2026-03-01T00:00:00-12:00": noon,
    "2026-03-01T12:00:00-00:00": noon,
    "2026-03-01T12:00:00.9Z": noon + 900,
    "2026-03-01T12:00:00.123999999Z": noon + 123,
    "1969-12-31T23:59:59.999999999Z": -1,
    "2024-02-29T00:00:00Z": Date.UTC(2024, 1, 29),
    "0001-01-01T00:00:00Z": Date.parse("0001-01-01T00:00:00Z"),
    "9999-12-31T23:59:59Z": Date.UTC(9999, 11, 31, 23, 59, 59),
  };
  for (const [text, ms] of Object.entries(times)) assert.equal(parseTime(text), ms, text);
});

Deno.test("the second 60 is parsed where a leap second can be", () => {
  assert.equal(parseTime("2016-12-31T23:59:60Z"), Date.UTC(2017, 0, 1));
  assert.equal(parseTime("2016-12-31T23:59:60.5Z"), Date.UTC(2017, 0, 1, 0, 0, 0, 500));
  assert.equal(parseTime("1990-12-31T15:59:60-08:00"), Date.UTC(1991, 0, 1));
  assert.equal(parseTime("2015-07-01T01:59:60+02:00"), Date.UTC(2015, 6, 1));
  for (
    const text of ["2016-12-30T23:59:60Z", "2016-12-31T12:00:60Z", "2016-12-31T23:59:60+01:00"]
  ) {
    assert.equal(parseTime(text), undefined, text);
  }
});

Deno.test("invalid times, and times that do not exist, are refused", () => {
  for (
    const text of [
      "",
      "now",
      "2026-03-01",
      "2026-03-01 12:00:00Z",
      "2026-03-01T12:00:00",
      "2026-03-01T12:00Z",
      "2026-03-01T12:00:00+0100",
      " 2026-03-01T12:00:00Z",
      "2026-03-01T12:00:00.Z",
      "2026-03-01T12:00:00.1234567890Z",
      "+2026-03-01T12:00:00Z",
      "2026-02-29T00:00:00Z",
      "2026-02-30T00:00:00Z",
      "2026-04-31T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-01-00T00:00:00Z",
      "2026-01-32T00:00:00Z",
      "2026-01-01T24:00:00Z",
      "2026-01-01T23:60:00Z",
      "2026-01-01T23:59:61Z",
      "2026-01-01T00:00:00+24:00",
      "2026-01-01T00:00:00+01:60",
    ]
  ) assert.equal(parseTime(text), undefined, text);
});
