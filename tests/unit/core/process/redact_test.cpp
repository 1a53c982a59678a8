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

TEST_CASE("secrets that left in clear text: grouped flags, verbs, statements, attached and dashed values") {
  struct Row {
    Args in, out;
  };
  const Row rows[] = {
      {{"curl", "-su", "bob:hunter2", "http://h/"}, {"curl", "-su", "bob:" + R, "http://h/"}},
      {{"curl", "-sSu", "bob:hunter2"}, {"curl", "-sSu", "bob:" + R}},
      {{"curl", "-vu", "bob:hunter2"}, {"curl", "-vu", "bob:" + R}},
      {{"curl", "-sSLubob:hunter2"}, {"curl", "-sSLubob:" + R}},
      {{"curl", "--user=bob:hunter2"}, {"curl", "--user=bob:" + R}},
      {{"curl", "--proxy-user=bob:hunter2"}, {"curl", "--proxy-user=bob:" + R}},
      {{"curl", "-u", "hunter2:"}, {"curl", "-u", R + ":"}},
      {{"curl", "-b", "sid=hunter2"}, {"curl", "-b", R}},
      {{"curl", "-sb", "sid=hunter2"}, {"curl", "-sb", R}},
      {{"curl", "--cookie", "sid=hunter2"}, {"curl", "--cookie", R}},
      {{"curl", "--cookie=sid=hunter2"}, {"curl", "--cookie=" + R}},
      {{"curl", "-H", "apikey: hunter2"}, {"curl", "-H", "apikey: " + R}},
      {{"redis-cli", "AUTH", "hunter2"}, {"redis-cli", "AUTH", R}},
      {{"redis-cli", "-h", "h", "auth", "bob", "hunter2"}, {"redis-cli", "-h", "h", "auth", R, R}},
      {{"redis-cli", "-ahunter2", "PING"}, {"redis-cli", "-a" + R, "PING"}},
      {{"redis-cli", "config", "set", "requirepass", "hunter2"},
       {"redis-cli", "config", "set", "requirepass", R}},
      {{"redis-cli", "-u", "redis://:hunter2@secret.h"}, {"redis-cli", "-u", "redis://:" + R + "@secret.h"}},
      {{"psql", "-c", "ALTER USER postgres PASSWORD 'hunter2'"},
       {"psql", "-c", "ALTER USER postgres PASSWORD '" + R + "'"}},
      {{"psql", "-c", "alter role x with password E'hun''ter 2';"},
       {"psql", "-c", "alter role x with password E'" + R + "';"}},
      {{"mysql", "-e", "SET PASSWORD = PASSWORD('hunter2')"},
       {"mysql", "-e", "SET PASSWORD = PASSWORD('" + R + "')"}},
      {{"mysql", "-e", "CREATE USER a IDENTIFIED BY 'hunter2'"},
       {"mysql", "-e", "CREATE USER a IDENTIFIED BY '" + R + "'"}},
      {{"mysql", "-e", "ALTER USER a IDENTIFIED WITH caching_sha2_password BY \"hunter2\""},
       {"mysql", "-e", "ALTER USER a IDENTIFIED WITH caching_sha2_password BY \"" + R + "\""}},
      {{"sh", "-c", "psql -c \"ALTER USER postgres PASSWORD 'hunter2'\" && true"},
       {"sh", "-c", "psql -c \"ALTER USER postgres PASSWORD '" + R + "'\" && true"}},
      {{"mongo", "--eval", "db.auth('core','hunter2')"}, {"mongo", "--eval", "db.auth('core','" + R + "')"}},
      {{"mongo", "--eval", "db.changeUserPassword(\"core\", \"hun)ter2\")"},
       {"mongo", "--eval", "db.changeUserPassword(\"core\", \"" + R + "\")"}},
      {{"python3", "-c", "requests.get('http://h', auth=('bob', 'hunter2'))"},
       {"python3", "-c", "requests.get('http://h', auth=('bob', '" + R + "'))"}},
      {{"docker", "login", "-u", "bob", "-p", "hunter2"}, {"docker", "login", "-u", "bob", "-p", R}},
      {{"docker", "login", "-phunter2", "r"}, {"docker", "login", "-p" + R, "r"}},
      {{"sh", "-c", "echo hunter2 | docker login --password-stdin"},
       {"sh", "-c", "echo " + R + " | docker login --password-stdin"}},
      {{"mosquitto_sub", "-h", "x", "-Phunter2"}, {"mosquitto_sub", "-h", "x", "-P" + R}},
      {{"snmpwalk", "-v2c", "-cprivate", "h"}, {"snmpwalk", "-v2c", "-c" + R, "h"}},
      {{"openssl", "enc", "-aes-256-cbc", "-k", "hunter2"}, {"openssl", "enc", "-aes-256-cbc", "-k", R}},
      {{"openssl", "passwd", "-1", "hunter2"}, {"openssl", "passwd", "-1", R}},
      {{"vault", "kv", "put", "secret/x", "value=hunter2", "f=@file"},
       {"vault", "kv", "put", "secret/x", "value=" + R, "f=@file"}},
      {{"consul", "kv", "put", "db/password", "hunter2"}, {"consul", "kv", "put", "db/password", R}},
      {{"env", "DB_KEY=hunter2", "app"}, {"env", "DB_KEY=" + R, "app"}},
      {{"env", "MQTT_PW=hunter2", "JWT=hunter3"}, {"env", "MQTT_PW=" + R, "JWT=" + R}},
      {{"app", "Endpoint=h;AccountKey=hunter2==;X=1"}, {"app", "Endpoint=h;AccountKey=" + R + ";X=1"}},
      {{"app", "--license-key", "hunter2"}, {"app", "--license-key", R}},
      {{"app", "--authorization", "Bearer hunter2"}, {"app", "--authorization", R}},
      {{"app", "--client-secret-id", "hunter2"}, {"app", "--client-secret-id", R}},
      {{"app", "--password", "-hunter2"}, {"app", "--password", R}},
      {{"app", "--password", "--hunter2"}, {"app", "--password", R}},
      {{"mongo", "-p", "-hunter2"}, {"mongo", "-p", R}},
      {{"sh", "-c", "echo 'root:pw' | chpasswd"}, {"sh", "-c", "echo 'root:" + R + "' | chpasswd"}},
      {{"sh", "-c", "echo hunter2 | sudo -S id"}, {"sh", "-c", "echo " + R + " | sudo -S id"}},
      {{"htpasswd", "-b", "f", "bob", "pw"}, {"htpasswd", "-b", "f", "bob", R}},
      {{"htpasswd", "-nbB", "bob", "pw"}, {"htpasswd", "-nbB", "bob", R}},
      {{"mosquitto_passwd", "-b", "f", "bob", "pw"}, {"mosquitto_passwd", "-b", "f", "bob", R}},
      {{"wpa_passphrase", "net", "hunter2"}, {"wpa_passphrase", "net", R}},
      {{"nmcli", "dev", "wifi", "connect", "x", "password", "hunter2"},
       {"nmcli", "dev", "wifi", "connect", "x", "password", R}},
      {{"useradd", "-p", "hunter2", "x"}, {"useradd", "-p", R, "x"}},
      {{"lftp", "-u", "bob,hunter2", "h"}, {"lftp", "-u", "bob," + R, "h"}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.in);
    CHECK(redacted(row.in) == row.out);
    CHECK(redacted(row.out) == row.out);
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
      {"snmptrapd", "-Lo", "-c", "/etc/snmp/snmptrapd.conf"},
      {"curl", "-sSL", "-o", "/tmp/u", "http://h/"},
      {"curl", "-sfb", "cookies.txt", "http://h/"},
      {"curl", "--key", "client.pem", "--cert", "c.pem"},
      {"mosquitto", "-c", "/mosquitto/config/mosquitto.conf"},
      {"mosquitto_sub", "-h", "h", "-p", "1883", "-t", "a/b"},
      {"redis-cli", "-h", "edgex-redis", "-p", "6379", "PING"},
      {"redis-cli", "get", "ds-key:17"},
      {"psql", "-c", "SELECT 'password' FROM t WHERE a = 'b'"},
      {"openssl", "x509", "-in", "a.pem", "-noout"},
      {"app", "--tls-key=/etc/tls.key", "--ssl-key", "./k.pem", "--sort-key=a", "--num-key=5"},
      {"app", "--password", "-v"},
      {"mongo", "-u", "core", "-p", "--host", "edgex-mongo"},
      {"vault", "server", "-config=/vault/config"},
      {"vault", "kv", "get", "secret/x"},
      {"consul", "kv", "get", "db/password"},
      {"htpasswd", "-D", "f", "bob"},
      {"docker", "exec", "-u", "1000:1000", "x", "id"},
      {"sh", "-c", "echo ready; passwd_file=/x app"},
      {"grep", "password", "/etc/app.conf"},
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
  for (const char* part : {".auth(", ".auth('a'", "password '", "by identified ", "curl -bbb", "\\'"}) {
    std::string text;
    while (text.size() < 32768)
      text += part;
    CHECK_FALSE(redact_text(text).empty());
    Args words{"curl", text, "-" + text, "--eval", text};
    redact_args(words);
  }
}
