/** Checks options of `serve` that exclude or need each other, without a start. */
import { doorSpecs } from "../../core/serve/door_specs.ts";
import { storeAndBucket } from "../_data/storage_options.ts";
import { doorOptions } from "./doors.ts";
import { hooksOf } from "./hooks.ts";

type Values =
  & Parameters<typeof doorOptions>[0]
  & Parameters<typeof hooksOf>[0]
  & Parameters<typeof storeAndBucket>[0];

/** Checks options together. @throws {BargeError} `usage` */
export function checkTogether(values: Values): void {
  doorSpecs(doorOptions(values));
  hooksOf(values);
  storeAndBucket(values);
}
