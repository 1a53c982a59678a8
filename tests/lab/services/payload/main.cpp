// What the lab's attacker makes a container download and run: harmless, small, bound to the lab's own
// addresses by the arguments it is given.
//   lab_payload                    stays for 3 s, as a bot does that waits for its orders
//   lab_payload ADDRESS PORT       connects, sends a few lines a second apart, and leaves
#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) {
    sleep(3);
    return 0;
  }
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(static_cast<unsigned short>(std::atoi(argv[2])));
  if (inet_pton(AF_INET, argv[1], &target.sin_addr) != 1) return 2;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const timeval limit{3, 0};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) return 1;
  char answer[64];
  for (int i = 0; i < 3; ++i) {
    const char line[] = "id=edgex-device-bacnet;state=ready\n";
    if (send(fd, line, sizeof line - 1, MSG_NOSIGNAL) <= 0 || recv(fd, answer, sizeof answer, 0) <= 0)
      return 1;
    sleep(1);
  }
  return 0;
}
