/** Describes the API (OpenAPI 3.1), from the rows of its operations. */
import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import type { Answer, Operation } from "./operation.ts";
import { root } from "./operation.ts";
import * as schemas from "./schemas.ts";

/** Returns the description. */
export function describe(operations: readonly Operation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const row of operations) {
    const path = row.path.replace(/(?<!\/)\{/, "/{");
    (paths[path] ??= {})[row.method.toLowerCase()] = describeOne(row);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "barge",
      version: "1",
      description:
        "Files, uploads that resume, accounts. `{path}` is a path of the tree, /home/... " +
        "or /public/..., percent-encoded part by part; its slashes stay slashes.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: root }],
    security: [{ basic: [] }, { bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        basic: {
          type: "http",
          scheme: "basic",
          description: "The password, or a token in its place",
        },
        bearer: { type: "http", scheme: "bearer", description: "A token" },
      },
      schemas: { Problem: schemaOf(schemas.problem, "output") },
    },
  };
}

const string = { type: "string" };

function describeOne(row: Operation): object {
  const { id, summary, login, body, answers, problems = {} } = row;
  return {
    operationId: id,
    summary,
    security: login ? undefined : [],
    parameters: parametersOf(row),
    requestBody: body === undefined ? undefined : { required: true, content: contentOf(row) },
    responses: {
      ...mapValues(answers, responseOf),
      ...mapValues({ ...problems, default: "The problem (RFC 9457)" }, (description) => ({
        description,
        content: {
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        },
      })),
    },
  };
}

function parametersOf({ path, query, headers = {} }: Operation): object[] {
  const parameter = (place: string, name: string, facts: object) => ({ name, in: place, ...facts });
  const [, rest] = /\{(\w+)\}$/.exec(path) ?? [];
  const { properties = {}, required = [] } = query ? schemaOf(query, "input") : {};
  return [
    ...rest ? [parameter("path", rest, { required: true, schema: string })] : [],
    ...Object.entries(properties).map(([name, schema]) =>
      parameter("query", name, { required: required.includes(name), schema })
    ),
    ...Object.entries(headers).map(([name, description]) =>
      parameter("header", name, { required: false, description, schema: string })
    ),
  ];
}

function contentOf({ body, method }: Operation): object {
  if (body && body !== "bytes") return { "application/json": { schema: schemaOf(body, "input") } };
  const type = method === "PUT" ? "*/*" : "application/offset+octet-stream";
  return { [type]: {} };
}

function responseOf({ description, schema, types = [], headers }: Answer): object {
  const content = {
    ...schema && { "application/json": { schema: schemaOf(schema, "output") } },
    ...Object.fromEntries(types.map((type) => [type, {}])),
  };
  return {
    description,
    headers: headers && mapValues(headers, (description) => ({ description, schema: string })),
    content: Object.keys(content).length > 0 ? content : undefined,
  };
}

/** Returns the JSON Schema 2020-12, which OpenAPI 3.1 uses. */
function schemaOf(
  schema: v.GenericSchema,
  typeMode: "input" | "output",
): { properties?: Record<string, object>; required?: string[] } {
  const config = { target: "draft-2020-12", typeMode, errorMode: "ignore" } as const;
  const { $schema: _, ...rest } = toJsonSchema(schema, config);
  return rest as ReturnType<typeof schemaOf>;
}

function mapValues<V>(values: Readonly<Record<string, V>>, map: (value: V) => object) {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}
