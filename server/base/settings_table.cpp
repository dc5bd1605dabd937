#include <algorithm>

#include "server/base/settings.hpp"
#include "server/base/settings_check.hpp"

namespace continuo {
namespace {

const std::vector<std::string_view> kRoles{"none", "viewer", "operator", "engineer", "admin"};

const std::vector<Setting>& table() {
  // clang-format off
  static const std::vector<Setting> rows = {
      {"device.name", "device", "sound device: its name or a part of it; clock: none", &Config::device_name},
      {"device.host_api", "host-api", "ALSA, JACK Audio Connection Kit, ...; empty: any", &Config::host_api},
      {"device.sample_rate_hz", "rate", "Hz; 0: the device's own", &Config::sample_rate_hz, {8000, 384000, true}},
      {"device.buffer_frames", "buffer", "frames; 0: the device chooses", &Config::buffer_frames, {16, 16384, true}},
      {"device.in_channels", "in-channels", "inputs to open; absent: all", &Config::in_channels, {0, kMaxListed}},
      {"device.out_channels", "out-channels", "outputs to open; absent: all", &Config::out_channels, {0, kMaxListed}},
      {"device.input_labels", "input-labels", "names of the inputs, from channel 1", &Config::input_labels, {}, check_label},
      {"device.output_labels", "output-labels", "names of the outputs, from channel 1", &Config::output_labels, {},
       check_label},
      {"device.priority", "priority", "SCHED_FIFO priority to ask for", &Config::priority, {1, 95}},
      {"audio.render_workers", "render-workers", "threads that help the audio thread, at most the cores but two; 0: none",
       &Config::render_workers, {0, 62}},
      {"output.ceiling_db", "ceiling-db", "dBFS that no sample to the device exceeds: a guard, not a limiter",
       &Config::ceiling_db, {}, nullptr, {}, {-60.0, 0.0}},
      {"server.listen", "listen", "unix:/path or host:port; off the loopback TCP needs all of [tls]", &Config::listen, {},
       check_address},
      {"server.role", "role", "what the daemon's own user, root and the socket's group may do", &Config::role, {}, nullptr,
       {"viewer", "operator", "engineer", "admin"}},
      {"server.group", "group", "group that may use the socket; empty: the daemon's own", &Config::group},
      {"server.operations_per_second", "operations-per-second", "edits that one client may send",
       &Config::operations_per_second, {1, 10'000'000}},
      {"access.users", "user-role", "NAME=ROLE of users of this machine", &Config::user_roles, {}, nullptr, kRoles},
      {"access.groups", "group-role", "NAME=ROLE of groups of this machine", &Config::group_roles, {}, nullptr, kRoles},
      {"access.certificates", "certificate-role", "NAME=ROLE of certificates, in place of the role that they carry",
       &Config::certificate_roles, {}, nullptr, kRoles},
      {"access.loopback", "loopback-role", "role on TCP without TLS and without a token", &Config::loopback_role, {},
       nullptr, kRoles},
      {"access.token_file", "token-file", "tokens that let in, a line each: NAME ROLE SHA256; empty: none",
       &Config::token_file},
      {"tls.certificate", "tls-certificate", "the daemon's certificate, PEM", &Config::tls_certificate},
      {"tls.key", "tls-key", "its key, PEM", &Config::tls_key},
      {"tls.client_ca", "tls-client-ca", "who signs clients' certificates, PEM", &Config::tls_client_ca},
      {"media.roots", "media-root", "NAME=FOLDER that sessions may name files in; an empty folder takes a root away",
       &Config::media_roots},
      {"media.take_folder", "take-folder", "where recordings go (root \"takes\")", &Config::take_folder},
      {"media.second_take_folder", "second-take-folder",
       "where every take is written as well (root \"takes2\"); empty: nowhere", &Config::second_take_folder},
      {"media.take_template", "take-template", "a take's name, of {node} {name} {session} {take} {n} {date} {time} {channel}", &Config::take_template, {},
       check_template},
      {"state.folder", "state-folder", "what the daemon remembers", &Config::state_folder},
      {"log.level", "log-level", "least level that is written", &Config::log_level, {}, nullptr,
       {"debug", "info", "warning", "error"}},
      {"log.file", "log-file", "rotated file; empty: stderr", &Config::log_file},
      {"at_start.session", "start-session", "after a start: the last session, or an empty one", &Config::start_session,
       {}, nullptr, {"last", "empty"}},
      {"at_start.playback", "start-playback", "after a start: stop, or the last session plays on where it was",
       &Config::start_playback, {}, nullptr, {"stop", "resume"}},
      {"at_start.recording", "start-recording", "after a start: stop, or what recorded records on, into new takes",
       &Config::start_recording, {}, nullptr, {"stop", "resume"}},
      {"at_device_loss.playback", "loss-playback", "whether the timeline goes on when the device is lost",
       &Config::loss_playback, {}, nullptr, {"stop", "resume"}},
      {"at_device_loss.recording", "loss-recording", "whether takes go on when the device is lost",
       &Config::loss_recording, {}, nullptr, {"stop", "resume"}},
  };
  // clang-format on
  return rows;
}

}  // namespace

std::span<const Setting> settings() { return table(); }

const Setting* find_setting(std::string_view key) {
  const auto found = std::ranges::find(table(), key, &Setting::key);
  return found == table().end() ? nullptr : &*found;
}

std::string flag_of(const Setting& setting) { return "--" + std::string(setting.name); }

std::string variable_of(const Setting& setting) {
  std::string name = "CONTINUO_";
  for (const char c : setting.name)
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

}  // namespace continuo
