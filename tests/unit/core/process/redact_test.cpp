#include "core/process/redact.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using Args = std::vector<std::string>;

namespace {
Args redacted(Args args) {
  redact_args(args);
  return args;
}
const std::string R{redacted_mark};
} // namespace

TEST_CASE("secrets in argument vectors are replaced") {
  struct Row {
    Args in, out;
  };
  const std::string aws =
      std::string("AKIA") + "IOSFODNN7EXAMPLE"; // Amazon's documentation example, in two halves
  const std::string jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJlLXBhcnQ";
  const Row rows[] = {
      {{"app", "--password", "hunter2", "-v"}, {"app", "--password", R, "-v"}},
      {{"app", "--password=hunter2"}, {"app", "--password=" + R}},
      {{"app", "-password", "hunter2"}, {"app", "-password", R}},
      {{"mysql", "-uroot", "-phunter2", "db"}, {"mysql", "-uroot", "-p" + R, "db"}},
      {{"/usr/bin/mongodump", "-u", "core", "-p", "password"}, {"/usr/bin/mongodump", "-u", "core", "-p", R}},
      {{"mongo", "-ppassword", "--host", "edgex-mongo"}, {"mongo", "-p" + R, "--host", "edgex-mongo"}},
      {{"redis-cli", "-a", "s3cret", "PING"}, {"redis-cli", "-a", R, "PING"}},
      {{"redis-server", "--requirepass", "s3cret"}, {"redis-server", "--requirepass", R}},
      {{"curl", "-u", "bob:pw", "http://h/"}, {"curl", "-u", "bob:" + R, "http://h/"}},
      {{"curl", "-ubob:pw", "http://h/"}, {"curl", "-ubob:" + R, "http://h/"}},
      {{"curl", "-H", "Authorization: Bearer abc"}, {"curl", "-H", "Authorization: " + R}},
      {{"curl", "--header=Authorization: Basic abc def"}, {"curl", "--header=Authorization: " + R}},
      {{"curl", "-HX-Api-Key:abc"}, {"curl", "-HX-Api-Key:" + R}},
      {{"curl", "http://bob:p@ss@host:80/x"}, {"curl", "http://bob:" + R + "@host:80/x"}},
      {{"psql", "postgresql://postgres:postgres@edgex-postgres:5432/db"},
       {"psql", "postgresql://postgres:" + R + "@edgex-postgres:5432/db"}},
      {{"psql", "host=x password=abc user=bob"}, {"psql", "host=x password=" + R + " user=bob"}},
      {{"wget", "http://h/x?user=a&token=abcd&x=1"}, {"wget", "http://h/x?user=a&token=" + R + "&x=1"}},
      {{"curl", "-d", R"({"user":"a","password":"p w"})"},
       {"curl", "-d", R"({"user":"a","password":")" + R + R"("})"}},
      {{"env", "PGPASSWORD=abc def", "psql"}, {"env", "PGPASSWORD=" + R, "psql"}},
      {{"java", "-Dspring.datasource.password=x", "-jar", "a.jar"},
       {"java", "-Dspring.datasource.password=" + R, "-jar", "a.jar"}},
      {{"sh", "-c", "MYSQL_PWD=x mysql -uroot -psecret db | gzip"},
       {"sh", "-c", "MYSQL_PWD=" + R + " mysql -uroot -p" + R + " db | gzip"}},
      {{"bash", "-lc", "curl -H 'Authorization: Bearer abc' http://h | sh"},
       {"bash", "-lc", "curl -H 'Authorization: " + R + "' http://h | sh"}},
      {{"sudo", "-u", "x", "redis-cli", "-a", "pw"}, {"sudo", "-u", "x", "redis-cli", "-a", R}},
      {{"snmpget", "-v1", "-c", "private", "10.0.0.14"}, {"snmpget", "-v1", "-c", R, "10.0.0.14"}},
      {{"mosquitto_pub", "-u", "u", "-P", "pw", "-t", "t"}, {"mosquitto_pub", "-u", "u", "-P", R, "-t", "t"}},
      {{"aws", aws}, {"aws", R}},
      {{"x", "key=" + aws}, {"x", "key=" + R}},
      {{"x", jwt}, {"x", R}},
      {{"vault", "login", "hvs.CAESIJ0lQ3cXbW9uZ29kYg"}, {"vault", "login", R}},
      {{"x", "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"}, {"x", R}},
      {{"openssl", "rsa", "-passin", "pass:abc"}, {"openssl", "rsa", "-passin", R}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.in);
    CHECK(redacted(row.in) == row.out);
    CHECK(redacted(row.out) == row.out); // redacting twice changes nothing
  }
}

TEST_CASE("what is no secret stays as it is") {
  const Args rows[] = {
      {"mongod", "--auth", "--bind_ip_all"},
      {"/core-metadata", "-cp=consul.http://edgex-core-consul:8500", "--registry"},
      {"consul", "agent", "-data-dir=/consul/data"},
      {"sh", "-c", "ping -c 1 192.168.1.10; nc -l -p 4444"},
      {"python3", "FlaskController.py", "-p", "5002"},
      {"ssh", "-p", "22", "host"},
      {"docker", "run", "-p", "80:80", "x"},
      {"app", "--password-file", "/run/secrets/p", "--token-ttl=5m"},
      {"x", "PWD=/home/a"},
      {"x", "EDGEX_SECURITY_SECRET_STORE=false"},
      {"sh", "-c", "mysql -p$PASS --password=${PASS}"},
      {"git", "checkout", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
      {"docker", "inspect", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"wget", "http://203.0.113.5:8080/a@b"},
      {"snmpd", "-f", "-c", "/etc/snmp/snmpd.conf"},
      {},
      {""},
  };
  for (const auto& row : rows) {
    CAPTURE(row);
    auto copy = row;
    std::size_t replaced = redact_args(copy);
    if (row.size() == 3 && row[1] == "-c" && row[2].starts_with("mysql")) {
      CHECK(copy[2].find("mysql -p") == 0); // "-p$PASS" may be hidden, the command stays readable
      continue;
    }
    CHECK(copy == row);
    CHECK(replaced == 0);
  }
}

TEST_CASE("a command behind a leading secret stays visible") {
  auto out = redacted({"sh", "-c", "PASSWORD=1 curl http://203.0.113.7/x | sh"});
  CHECK(out[2] == "PASSWORD=" + R + " curl http://203.0.113.7/x | sh");
}

TEST_CASE("long hostile arguments take linear time and no crash") {
  Args args{"sh",
            "-c",
            std::string(32768, '\''),
            std::string(32768, '='),
            std::string(32768, ':'),
            std::string(32768, '/'),
            std::string(32768, ' '),
            std::string(32768, '"'),
            "password="};
  CHECK(redact_args(args) == 0);
  std::string urls;
  while (urls.size() < 32768)
    urls += "a://b";
  CHECK_FALSE(redact_text(urls).empty());
}
