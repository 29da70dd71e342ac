/** The shortest password that the operator allows holds at every way to set one over HTTP. */
import assert from "node:assert/strict";
import { api, Web } from "./_web.ts";

const short = "eleven char"; // the default would allow it
const long = "twelve chars";

Deno.test("the API refuses a new password that is shorter than --min-password", async () => {
  await using web = await Web.start({ minPassword: 12, allowRegister: true, defaultLimit: 1000 });
  const root = await web.user("root", null, "admin");
  const anna = await web.withPassword("anna");
  const ways: Record<string, (password: string) => Promise<{ status: number; text: string }>> = {
    "register": (password) => root.json("POST", `${api}/account`, { name: "bob", password }),
    "an account by an admin": (password) =>
      root.json("POST", `${api}/accounts`, { name: "carl", password, role: "user", limit: null }),
    "an account's password by an admin": (password) =>
      root.json("PATCH", `${api}/accounts/carl`, { password }),
    "one's own password": (password) => anna.json("PUT", `${api}/account/password`, { password }),
  };
  for (const [name, set] of Object.entries(ways)) {
    const { status, text } = await set(short);
    assert.equal(status, 400, `${name}: ${text}`);
    assert.match(text, /the password has 11 characters, and needs 12 at least/, name);
    assert.ok((await set(long)).status < 300, name);
  }
});
