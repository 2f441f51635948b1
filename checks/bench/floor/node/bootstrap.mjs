// Replaces Lambda's own Node.js runtime, and does less: it polls for events, calls the handler, and responds.
import { createRequire } from "node:module";
import http from "node:http";

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const root = "/2018-06-01/runtime";

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const request = http.request({ hostname, port, path: root + path, method, headers, agent }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(chunks).toString() }));
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

const { handler } = createRequire(import.meta.url)("./dist/index.cjs");
for (;;) {
  const { headers, body } = await call("GET", "/invocation/next");
  const invocation = `/invocation/${headers["lambda-runtime-aws-request-id"]}`;
  try {
    await call("POST", `${invocation}/response`, JSON.stringify(await handler(JSON.parse(body))));
  } catch (error) {
    const message = { errorType: error.name, errorMessage: error.message, stackTrace: [] };
    await call("POST", `${invocation}/error`, JSON.stringify(message));
  }
}
