#pragma once
#include "core/alert/alert.hpp"

namespace iris {

inline constexpr Timestamp start_of_test = 1'764'000'000 * second;

inline Finding sample_finding() {
  Finding finding;
  finding.detector = "network.known-bad";
  finding.entity.kind = EntityKind::service;
  finding.entity.name = "edgex-device-bacnet";
  finding.entity.image = "edgexfoundry/device-bacnet:0.2";
  finding.entity.container = std::string(64, 'a');
  finding.peer.kind = EntityKind::internet;
  finding.peer.address = *parse_ip("203.0.113.66");
  finding.peer.country = "DE";
  finding.peer.network = "Lab Hosting";
  finding.peer.port = 0;
  finding.cause = "203.0.113.66";
  finding.severity = Severity::high;
  finding.score = 21.5;
  finding.first = start_of_test;
  finding.last = start_of_test + second;
  finding.act = "talked to {peer}, which is on threat list ipsum";
  finding.expected = "no address of a threat list in 240 h on 3 gateways";
  finding.observed = "3 connections to 203.0.113.66";
  finding.attack = {"T1071"};
  FlowEvidence flow;
  flow.src = *parse_ip("172.20.0.9");
  flow.dst = *parse_ip("203.0.113.66");
  flow.sport = 40'123;
  flow.dport = 443;
  flow.protocol = 6;
  flow.packets = 12;
  flow.bytes_out = 900;
  flow.bytes_in = 4'000;
  flow.first = start_of_test;
  flow.last = start_of_test + second;
  finding.flows.push_back(flow);
  ProcessInfo process;
  process.pid = 4'242;
  process.parent_pid = 4'241;
  process.exe = "/usr/bin/python3.9";
  process.args = {"python3", "/tmp/payload.py", "a \"b\"\n"};
  process.ancestors = {"/bin/sh", "/device-bacnet"};
  process.started = start_of_test - second;
  process.origin = Origin::upper;
  finding.processes.push_back(process);
  return finding;
}

inline Alert sample_alert() {
  Alert alert;
  alert.id = "A-0123456789abcdef";
  alert.revision = 3;
  alert.tenant = "acme";
  alert.site = "plant-1";
  alert.gateway = "gw-17";
  alert.incident = "I-0123456789abcdef";
  alert.finding = sample_finding();
  alert.received = start_of_test + 2 * second;
  return alert;
}

} // namespace iris
