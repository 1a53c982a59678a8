#include "node/sources/proc_net.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("tables of sockets are read, whatever else stands in them") {
  const auto tcp = parse_proc_net(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 x "
      "100\n"
      "   1: 0100007F:A03C 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 x\n"
      "garbage\n"
      "   2: 0100007F:GG00 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 4713\n"
      "   3: 0100007F:0050 0100007F:1F90 01 00000000:00000000 00:0",
      6);
  REQUIRE(tcp.size() == 2);
  CHECK(tcp[0].local == IpAddress::v4(0));
  CHECK(tcp[0].local_port == 8080);
  CHECK(tcp[0].state == 10);
  CHECK(tcp[0].inode == 4711);
  CHECK(awaits_callers(tcp[0]));
  CHECK(to_string(tcp[1].local) == "127.0.0.1");
  CHECK(tcp[1].local_port == 41020);
  CHECK(tcp[1].remote_port == 8080);
  CHECK_FALSE(awaits_callers(tcp[1]));
  CHECK(parse_proc_net("", 6).empty());
}

TEST_CASE("addresses of IPv6 are read word by word") {
  const auto udp = parse_proc_net(
      "   7: 000080FE00000000FF005450 00000000000000000000000000000000:0000 07 0:0 0:0 0 0 0 1\n"
      "   8: 000080FE000000000000000001000000:00A1 00000000000000000000000000000000:0000 07 0:0 00:00 0 0 0 "
      "99\n",
      17);
  REQUIRE(udp.size() == 1);
  CHECK(to_string(udp[0].local) == "fe80::1");
  CHECK(udp[0].local_port == 161);
  CHECK(awaits_callers(udp[0]));
}

TEST_CASE("a client's UDP socket is no port that callers are awaited at") {
  ProcSocket socket;
  socket.protocol = 17;
  socket.state = 7;
  socket.local_port = 40'000;
  CHECK_FALSE(awaits_callers(socket));
  socket.local_port = 47'808; // BACnet
  CHECK(awaits_callers(socket));
  socket.local_port = 161;
  CHECK(awaits_callers(socket));
  socket.remote_port = 5;
  CHECK_FALSE(awaits_callers(socket));
}

TEST_CASE("no more sockets are read than wanted") {
  std::string file;
  for (int i = 0; i < 100; ++i)
    file += " 1: 0100007F:0050 0100007F:1F90 01 0:0 00:00 0 0 0 7\n";
  CHECK(parse_proc_net(file, 6, 10).size() == 10);
}
