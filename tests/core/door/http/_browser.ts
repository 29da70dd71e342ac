/** Drives Chromium for the tests of the page. */
import assert from "node:assert/strict";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Server } from "../../../_server.ts";

const executablePath = "/usr/bin/chromium";
/** Features of the browser that no test needs. The list replaces the one of playwright, whose features come first. */
const unused = [
  ...["AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"],
  ...["HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"],
  ...["ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints"],
  ...["NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"],
  // Each window has two pages for suggestions below the address bar, which take 0.6 s of CPU.
  ...["WebUIOmniboxPopup", "WebUIOmniboxFullPopup", "WebUIOmniboxAimPopup"],
];
const quiet = [
  ...["no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"],
  ...["disable-background-networking", "disable-component-update", "disable-dev-shm-usage"],
  `disable-features=${unused.join(",")}`,
].map((flag) => `--${flag}`);
/** The folder for screenshots, which are made only if BARGE_SCREENSHOTS is set. */
const screenshots = Deno.env.get("BARGE_SCREENSHOTS");

/** True if there is no browser. */
const missing = await (async () => {
  try {
    await Deno.stat(executablePath);
    return false;
  } catch {
    return true;
  }
})();

/** Defines a test that needs a browser; skips it without one. */
export function test(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  const full = missing ? `${name} (skipped: Chromium is not installed)` : name;
  Deno.test({ name: full, ignore: missing, fn });
}

/** A browser that is closed at the end. */
export async function openBrowser(): Promise<Browser & AsyncDisposable> {
  const browser = await chromium.launch({ executablePath, headless: true, args: quiet });
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() });
}

/** Options of a browser's window. */
export interface Look {
  readonly width?: number;
  readonly scheme?: "light" | "dark";
  readonly script?: boolean;
}

/** A user of the page: a browser with its own cookies. */
export class Person implements AsyncDisposable {
  /** Violations of the page's policy, errors of its scripts, and requests to other hosts. */
  readonly broken: string[] = [];
  base: string;
  /** The servers that the page may request; a test may replace the first one. */
  readonly own = new Set<string>();

  private constructor(
    server: Server,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    this.base = `http://${server.facts.http}`;
    page.on("pageerror", (error) => this.broken.push(String(error)));
    page.on("console", (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) {
        this.broken.push(message.text());
      }
    });
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      this.own.add(this.base);
      if (/^(http|ws)/.test(protocol) && !this.own.has(origin)) {
        this.broken.push(`asked ${request.url()}`);
      }
    });
    page.on("dialog", (dialog) => dialog.accept());
  }

  static async open(browser: Browser, server: Server, look: Look = {}): Promise<Person> {
    const { width = 1280, scheme = "light", script = true } = look;
    const context = await browser.newContext({
      viewport: { width, height: width < 500 ? 844 : 800 },
      colorScheme: scheme,
      javaScriptEnabled: script,
    });
    context.setDefaultTimeout(20_000);
    return new Person(server, context, await context.newPage());
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
    await world.send("Runtime.evaluate", { expression: axe.source });
    const { result } = await world.send("Runtime.evaluate", {
      expression: `axe.run(document, { resultTypes: ["violations"] })
        .then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) =>
          id + ": " + nodes.map(({ html, failureSummary }) => html.slice(0, 160) + " " + failureSummary).join(" | "))))`,
      awaitPromise: true,
      returnByValue: true,
    });
    await world.detach();
    assert.deepEqual(JSON.parse(result.value), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shot("last");
    await this.context.close();
    assert.deepEqual(this.broken, []);
  }
}
