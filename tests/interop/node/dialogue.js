// Two people with @xmpp/client: node dialogue.js DOMAIN PASSWORD ROMEO'S-URL JULIET'S-URL
// Says what happened on standard output, a line for each thing, and ends with "done".
import { client, xml } from "@xmpp/client";
import WebSocket from "ws";

// Node has WebSocket from 22 on; with a package the test is the same everywhere.
globalThis.WebSocket = WebSocket;

const [domain, password, ...services] = process.argv.slice(2);

function until(entity, accept) {
  return new Promise((resolve) => {
    entity.on("stanza", function look(stanza) {
      if (accept(stanza)) {
        entity.removeListener("stanza", look);
        resolve(stanza);
      }
    });
  });
}

async function come(username, service) {
  const entity = client({ service, domain, username, password, resource: "node" });
  entity.reconnect.stop();
  entity.on("error", (error) => {
    console.log(`error of ${username}: ${error}`);
    process.exit(1);
  });
  // start() looks for the server's header only when its own is written: a quick answer it misses,
  // and so it may give up although the login goes on well.
  const online = new Promise((resolve) => entity.once("online", resolve));
  entity.start().catch(() => {});
  const address = await online;
  console.log(`${username} is ${address}`);
  const seen = until(entity, (stanza) => stanza.is("presence"));
  await entity.send(xml("presence"));
  await seen;
  return entity;
}

function say(entity, to, text) {
  return entity.send(xml("message", { to, type: "chat" }, xml("body", {}, text)));
}

const hears = (entity) => until(entity, (stanza) => stanza.getChildText("body"));

const romeo = await come("romeo", services[0]);
const juliet = await come("juliet", services[1]);

for (const [from, to] of [[romeo, juliet], [juliet, romeo]]) {
  const heard = hears(to);
  await say(from, to.jid.toString(), `Hark & <b> "é" 'x' \u{1F339}`);
  const stanza = await heard;
  console.log(`${stanza.attrs.from} said ${stanza.getChildText("body")}`);
}

const roster = await romeo.iqCaller.get(xml("query", { xmlns: "jabber:iq:roster" }));
console.log(`the roster has ${roster.getChildren("item").length}`);

await juliet.stop();
// Not by iqCaller: an error that comes before its own write is finished is one that nobody catches.
const answer = until(romeo, (stanza) => stanza.attrs.id === "gone");
const to = `juliet@${domain}/node`;
await romeo.send(xml("iq", { type: "get", id: "gone", to }, xml("ping", "urn:xmpp:ping")));
const error = (await answer).getChild("error");
console.log(`juliet is gone: ${error.getChildElements()[0].name}`);
await romeo.stop();
console.log("done");
process.exit(0);
