/**
 * Drives Chromium for the tests of the page. The files that are loaded together share one browser and one server:
 * their tests are steps of one test. `scripts/run_tests.ts` loads all files of this folder together; each also runs
 * by itself.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { Accounts } from "../../../../../core/local/account/accounts.ts";
import { WebSessions } from "../../../../../core/local/account/web_sessions.ts";
import { Database } from "../../../../../core/local/database/database.ts";
import { host } from "../../../../cli/_nginx.ts";
import { type Server, startServer } from "../../../../_server.ts";

/** The same engine without the windows of a desktop takes a third less CPU. */
const executablePath = ["/usr/lib/chromium/chromium-headless-shell", "/usr/bin/chromium"]
  .find((path) => existsSync(path));
/** Features of the browser that no test needs. The list replaces the one of playwright, whose features come first. */
const unused = [
  ...["AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"],
  ...["HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"],
  ...["ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints"],
  ...["NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"],
  // Each window has two pages for suggestions below the address bar, which take 0.6 s of CPU.
  ...["WebUIOmniboxPopup", "WebUIOmniboxFullPopup", "WebUIOmniboxAimPopup"],
];
const flags = [
  ...["no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"],
  ...["disable-background-networking", "disable-component-update", "disable-dev-shm-usage"],
  `disable-features=${unused.join(",")}`,
  `host-resolver-rules=MAP ${host} 127.0.0.1`,
].map((flag) => `--${flag}`);
/** The folder for screenshots, which are made only if BARGE_SCREENSHOTS is set. */
const screenshots = Deno.env.get("BARGE_SCREENSHOTS");

let browser: Browser;
/** The server of tests that need no options of their own. Each uses accounts of its own. */
export let server: Server;

/** The tests of the files that are loaded. */
const tests: Deno.TestStepDefinition[] = [];

/** Defines a test that needs a browser; skips it without one, or without a program in `missing`. */
export function test(
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
  missing: readonly string[] = [],
): void {
  const reason = missing.map((program) => ` (skipped: ${program} is not installed)`).join("");
  tests.push({ name: name + reason, ignore: missing.length > 0, fn });
}

Deno.test({
  name: `the page in a browser${executablePath ? "" : " (skipped: Chromium is not installed)"}`,
  ignore: !executablePath,
  fn: async (t) => {
    await using started = await startServer({
      args: [
        ...["--http", "127.0.0.1:0", "--workers", "2", "--durability", "relaxed"],
        ...["--allow-register", "--max-quota", "2MB"],
      ],
    });
    server = started;
    browser = await chromium.launch({ executablePath, headless: true, args: flags });
    try {
      for (const each of tests) await t.step(each);
    } finally {
      await browser.close();
    }
  },
});

/** The password of accounts that log in by a form: its keys are prepared (tests/_passwords.ts). */
export const password = "alice-secret";

/** Options of a browser's window. */
export interface Look {
  readonly width?: number;
  readonly scheme?: "light" | "dark";
  readonly script?: boolean;
  /** Whether the browser's cache is empty. */
  readonly fresh?: boolean;
  readonly server?: Server;
}

/**
 * Windows of persons who have left. A new one takes 0.3 s of CPU, for its process and to compile the page's code.
 * The page stores nothing in a browser but cookies, which are removed, and its cache.
 */
const idle: Person[] = [];

/** A user of the page: a browser window with its own cookies. */
export class Person implements AsyncDisposable {
  /** Violations of the page's policy, errors of its scripts, and requests to other hosts. */
  readonly broken: string[] = [];
  base = "";
  /** The servers that the page may request; a test may replace the first one. */
  readonly own = new Set<string>();
  #server = server;

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly script: boolean,
  ) {
    page.on("pageerror", (error) => this.broken.push(String(error)));
    page.on("console", (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) {
        this.broken.push(message.text());
      }
    });
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      this.own.add(new URL(this.base).origin);
      if (/^(http|ws)/.test(protocol) && !this.own.has(origin)) {
        this.broken.push(`asked ${request.url()}`);
      }
    });
    page.on("dialog", (dialog) => dialog.accept());
  }

  static async open(look: Look = {}): Promise<Person> {
    const { width = 1000, scheme = "light", script = true, fresh = false } = look;
    const index = idle.findIndex((person) => !fresh && person.script === script);
    const person = index === -1 ? await Person.#make(script) : idle.splice(index, 1)[0];
    await person.page.setViewportSize({ width, height: 600 });
    await person.page.emulateMedia({ colorScheme: scheme });
    person.#server = look.server ?? server;
    person.base = `http://${person.#server.facts.http}`;
    return person;
  }

  static async #make(script: boolean): Promise<Person> {
    const context = await browser.newContext({
      javaScriptEnabled: script,
      ignoreHTTPSErrors: true, // of the tests' own certificates
    });
    context.setDefaultTimeout(20_000);
    return new Person(context, await context.newPage(), script);
  }

  /** Opens a page with a new login, for tests that are not about logins. */
  async enter(name: string, path = "/files/home/"): Promise<void> {
    const { data } = this.#server;
    await Deno.mkdir(`${data}/homes/${name}`, { recursive: true }); // as a login with a password
    using db = new Database(data);
    const { id } = new Accounts(db).get(name);
    const value = new WebSessions(db).begin(id, { agent: "Chromium", address: "127.0.0.1" });
    await this.context.addCookies([{ name: "barge", value, url: this.base, sameSite: "Strict" }]);
    await this.page.goto(this.base + path);
  }

  async login(name: string, password = `${name}-secret`): Promise<void> {
    await this.page.goto(`${this.base}/login`);
    await this.page.fill("#name", name);
    await this.page.fill("#password", password);
    await this.page.click("button[type=submit]");
    await this.page.waitForSelector(".side");
  }

  /** Waits until the page shows a notice. */
  async hears(text: string | RegExp): Promise<void> {
    await this.page.locator("#toast", { hasText: text }).waitFor();
  }

  /** Returns the names in the list, in order. */
  async names(): Promise<string[]> {
    return await this.page.locator(".list tbody .name").allInnerTexts();
  }

  /** Waits until the list has a name, or lacks it. */
  async sees(name: string, there = true): Promise<void> {
    const cell = this.page.locator(".list tbody .name", {
      hasText: new RegExp(`^\\s*${RegExp.escape(name)}\\s*$`),
    });
    await cell.waitFor({ state: there ? "attached" : "detached" });
  }

  /** Drops files and folders of this machine on the page. */
  async drop(...files: string[]): Promise<void> {
    const cdp = await this.context.newCDPSession(this.page);
    const data = { items: [], files, dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const) {
      await cdp.send("Input.dispatchDragEvent", { type, x: 600, y: 400, data });
    }
    await cdp.detach();
  }

  /** Chooses files or a folder with the button Upload. */
  async upload(files: string | string[], what: "files" | "folder" = "files"): Promise<void> {
    await this.page.click("#upload");
    const chooser = this.page.waitForEvent("filechooser");
    await this.page.click(`dialog button[value=${what}]`);
    await (await chooser).setFiles(files);
  }

  async shot(name: string): Promise<void> {
    if (screenshots) await this.page.screenshot({ path: `${screenshots}/${name}.png` });
  }

  /** Fails if axe finds a violation of accessibility rules. */
  async checkAccess(): Promise<void> {
    // The page's policy would refuse a script of the page.
    const world = await this.context.newCDPSession(this.page);
    const evaluate = async (expression: string) => {
      const options = { expression, awaitPromise: true, returnByValue: true };
      return (await world.send("Runtime.evaluate", options)).result.value;
    };
    if (await evaluate("typeof axe") === "undefined") await evaluate(`${axe.source};0`);
    const violations = await evaluate(
      `axe.run(document, { resultTypes: ["violations"] })
        .then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) =>
          id + ": " + nodes.map(({ html, failureSummary }) => html.slice(0, 160) + " " + failureSummary).join(" | "))))`,
    );
    await world.detach();
    assert.deepEqual(JSON.parse(violations), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shot("last");
    const broken = this.broken.splice(0);
    await this.context.setOffline(false);
    await this.context.clearCookies();
    // Ends what the page does. It is no blank page: for that the browser would take another process.
    await this.page.goto(`http://${server.facts.http}/healthz`);
    this.broken.length = 0;
    this.own.clear();
    idle.push(this);
    assert.deepEqual(broken, []);
  }
}
