// Answers in upper case, in Node: echo_node.mjs tcp|udp PORT
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import process from "node:process";

const [how, port] = process.argv.slice(2);

function upper(bytes) {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] >= 97 && bytes[i] <= 122) bytes[i] -= 32;
  }
  return bytes;
}

if (how === "udp") {
  const socket = createSocket("udp4");
  socket.on("message", (bytes, from) => socket.send(upper(bytes), from.port, from.address));
  socket.bind(Number(port), "127.0.0.1");
} else {
  createServer({ noDelay: true }, (socket) => {
    socket.on("data", (bytes) => socket.write(upper(bytes)));
    socket.on("error", () => socket.destroy());
  }).listen({ host: "127.0.0.1", port: Number(port), backlog: 4096 });
}
