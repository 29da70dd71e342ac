/** The license of the runtime that the executable carries. */
import { mitLicense } from "./mit_license.ts";

export const DENO_LICENSE = mitLicense("Copyright 2018-2026 the Deno authors");
