import config from "../deno.json" with { type: "json" };

/** The version of this program, from deno.json. */
export const version: string = config.version;
