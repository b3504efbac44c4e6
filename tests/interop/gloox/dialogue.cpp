// Two people with gloox: dialogue DOMAIN PASSWORD PORT
// Says what happened on standard output, a line for each thing, and ends with "done".
#include <cstdlib>
#include <iostream>
#include <string>

#include <gloox/client.h>
#include <gloox/connectionlistener.h>
#include <gloox/message.h>
#include <gloox/messagehandler.h>

using namespace gloox;

class Person : public ConnectionListener, public MessageHandler {
 public:
  Person(const std::string& name, const std::string& domain, const std::string& password, int port)
      : client(JID(name + "@" + domain + "/gloox"), password, port), name(name) {
    client.registerConnectionListener(this);
    client.registerMessageHandler(this);
    client.connect(false);
    while (!online && !over) client.recv(100000);  // microseconds
  }

  void hear() {
    heard = false;
    while (!heard && !over) client.recv(100000);
  }

  void say(Person& to, const std::string& text) {
    client.send(Message(Message::Chat, to.client.jid(), text));
  }

  void leave() {
    client.disconnect();
  }

  void onConnect() override {
    online = true;
    std::cout << name << " is " << client.jid().full() << std::endl;
  }

  void onDisconnect(ConnectionError error) override {
    over = true;
    if (error != ConnUserDisconnected) {
      std::cout << name << " is out: " << error << " " << client.authError() << std::endl;
      std::exit(1);
    }
  }

  bool onTLSConnect(const CertInfo&) override {
    return true;  // whom it trusts is for its user to say, and not what is tried here
  }

  void handleMessage(const Message& message, MessageSession*) override {
    if (message.body().empty()) return;
    heard = true;
    std::cout << message.from().full() << " said " << message.body() << std::endl;
  }

  Client client;

 private:
  std::string name;
  bool online = false, heard = false, over = false;
};

int main(int, char** arguments) {
  const std::string domain = arguments[1], password = arguments[2];
  const int port = std::atoi(arguments[3]);
  Person romeo("romeo", domain, password, port);
  Person juliet("juliet", domain, password, port);
  romeo.say(juliet, "Hark & <b> \"é\" 'x' \U0001F339");
  juliet.hear();
  juliet.say(romeo, "Ay me!");
  romeo.hear();
  juliet.leave();
  romeo.leave();
  std::cout << "done" << std::endl;
  return 0;
}
