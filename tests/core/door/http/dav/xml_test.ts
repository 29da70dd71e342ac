/** Tests the XML of untrusted clients. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  parseXml,
  textIn,
  writeXml,
  type XmlElement,
} from "../../../../../core/door/http/dav/xml.ts";
import { fails } from "../../../_setup.ts";

Deno.test("namespaces are resolved by their declarations, not by their prefixes", () => {
  const root = parseXml(
    `<?xml version="1.0"?><!-- D --><a:x xmlns:a="DAV:" xmlns="u:"><y/><D:z xmlns:D="v:" D:q="1" q="2"/>
     <y xmlns=""/><a:w xmlns:a="w:"/></a:x>`,
  );
  const [y, z, bare, w] = root.children.filter((child) => typeof child !== "string");
  const name = ({ space, local }: XmlElement) => `{${space}}${local}`;
  assert.deepEqual([root, y, z, bare, w].map(name), [
    ...["{DAV:}x", "{u:}y", "{v:}z", "{}y", "{w:}w"],
  ]);
  assert.deepEqual(z.attributes, [
    { space: "v:", local: "q", value: "1" },
    { space: "", local: "q", value: "2" },
  ]);
});

Deno.test("text is decoded once, and comments are left out", () => {
  const root = parseXml(
    "<a> &lt;&amp;lt;&#65;&#x1F600;<!-- no --><![CDATA[<b>&amp;]]>&quot;&apos; </a>",
  );
  assert.equal(textIn(root), " <&lt;A😀<b>&amp;\"' ");
});

Deno.test("XML that is malformed, too deep or too large is refused", async () => {
  const bomb = '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]><a>&z;</a>';
  const outside = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>';
  const bad = [
    ...[
      bomb,
      outside,
      "<!doctype a><a/>",
      "<a>&x;</a>",
      "<a>&amp</a>",
      "<a>&#0;</a>",
      "<a>&#xD800;</a>",
    ],
    ...[
      "",
      " ",
      "a",
      "<a>",
      "</a>",
      "<a></b>",
      "<a/><b/>",
      "<a/>b",
      "<a b=1/>",
      '<a b="1" b="2"/>',
    ],
    ...["<p:a/>", '<p:a xmlns:p=""/>', '<a xmlns:xml="u:"/>', '<a xmlns:xmlns="u:"/>', "<a:b:c/>"],
    ...['<a xmlns:p="u:" xmlns:q="u:" p:b="1" q:b="2"/>', "<a>\x01</a>", "<a>\uFFFF</a>", "<1/>"],
    ...['<a b="&x;"/>', "<:a/>", "<a:/>"],
    "<a>".repeat(40) + "</a>".repeat(40),
    "<a>".repeat(100_000),
    `<a>${"<b/>".repeat(20_000)}</a>`,
    `<a ${Array.from({ length: 20_000 }, (_, i) => `x${i}="1"`).join(" ")}/>`,
  ];
  for (const text of bad) {
    await fails("usage", () => assert.fail(JSON.stringify(parseXml(text)) + text), /XML/);
  }
});

Deno.test("written XML is read again unchanged", () => {
  const name = fc.stringMatching(/^[a-zäλ_][a-z0-9.-]{0,5}$/);
  const space = fc.constantFrom("", "DAV:", "u:", 'v:"<\n&>');
  const text = fc.string({ unit: "binary", maxLength: 10 })
    // deno-lint-ignore no-control-regex
    .map((s) => s.toWellFormed().replace(/[\x00-\x1f\ufffe\uffff]/g, "\n")).filter((s) => s !== "");
  const attributes = fc.uniqueArray(
    fc.record({ space: fc.constantFrom("", "u:", "v:"), local: name, value: text }),
    { maxLength: 3, selector: ({ space, local }) => `${space} ${local}` },
  ).map((all) => all.filter(({ local }) => local !== "xmlns"));
  const { element } = fc.letrec<{ element: XmlElement }>((tie) => ({
    element: fc.record({
      space,
      local: name,
      attributes,
      children: fc.array(fc.oneof({ maxDepth: 4 }, text, tie("element")), { maxLength: 4 })
        .map((all) =>
          all.filter((each, i) => typeof each !== "string" || typeof all[i - 1] !== "string")
        ),
    }),
  }));
  fc.assert(
    fc.property(element, (given) => {
      const plain = (e: XmlElement): unknown => ({
        ...{ space: e.space, local: e.local },
        attributes: e.attributes.map(({ space, local, value }) => `{${space}}${local}=${value}`)
          .sort(),
        children: e.children.map((child) => typeof child === "string" ? child : plain(child)),
      });
      assert.deepEqual(plain(parseXml(writeXml(given))), plain(given));
    }),
    { numRuns: 100 },
  );
});

Deno.test("random input never causes another failure than a refusal", () => {
  const piece = fc.constantFrom(
    ...[
      "<",
      ">",
      "/",
      "a",
      ":",
      "=",
      '"',
      "'",
      "&",
      ";",
      "#x",
      "[",
      "]]>",
      "<!--",
      "-->",
      "<?",
      "?>",
    ],
    ...[
      "<a>",
      "</a>",
      "<a/>",
      ' xmlns:p="u:"',
      "<p:b>",
      "</p:b>",
      "<![CDATA[",
      " ",
      "\n",
      "é",
      "\0",
    ],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        writeXml(parseXml(pieces.join("")));
      } catch (error) {
        assert.equal((error as { kind?: string }).kind, "usage", `${(error as Error).stack}`);
      }
    }),
    { numRuns: 1000 },
  );
});
