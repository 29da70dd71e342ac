#!/usr/bin/env node
// Starts the program of this package in Deno, which the npm package `deno` has for this system.
"use strict";
const { spawn } = require("node:child_process");
const { writeSync } = require("node:fs");
const { constants, homedir } = require("node:os");
const { join } = require("node:path");

const args = process.argv.slice(2);
const kind = args[0] === "serve" ? "server" : "client";
const { run, serverHeap, clientHeap, version } = require("./start.json");

const child = spawn(findDeno(), [
  ...run,
  kind === "server" ? serverHeap : clientHeap,
  join(__dirname, "program", "main.js"),
  ...args,
], {
  stdio: "inherit",
  env: {
    ...process.env,
    // The runtime keeps compiled code there. Clients and servers compile differently.
    DENO_DIR: process.env.DENO_DIR || join(cacheFolder(), "barge", `npm-${version}`, kind),
    DENO_NO_UPDATE_CHECK: "1",
    DENO_NODE_SHIM_ACTIVE: "1",
  },
});

// A terminal sends its signals to both processes; those of others reach only this one.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));

child.on("error", (error) => fail(`cannot start Deno: ${error.message}`));
child.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});

/** Returns the path of Deno. */
function findDeno() {
  try {
    return require("deno/install_api.cjs").runInstall();
  } catch (error) {
    fail(`the npm package deno has no program for this system: ${error.message}`);
  }
}

/** Returns this user's folder for caches. */
function cacheFolder() {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === "win32" && LOCALAPPDATA) return LOCALAPPDATA;
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches");
  return XDG_CACHE_HOME || join(homedir(), ".cache");
}

function fail(message) {
  writeSync(2, `barge: ${message}\n`);
  process.exit(7);
}
