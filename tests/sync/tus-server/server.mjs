// The tus project's own server on a loopback port: node server.mjs FOLDER; prints its port.
// Uploads are made by POST with the header Upload-Name, which becomes the id.
import http from "node:http";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const tus = new Server({
  path: "/files",
  datastore: new FileStore({ directory: process.argv[2] }),
  namingFunction: (request) => request.headers.get("upload-name"),
});
const server = http.createServer((request, response) => tus.handle(request, response));
server.listen(Number(process.argv[3] ?? 0), "127.0.0.1", () => {
  console.log(server.address().port);
});
