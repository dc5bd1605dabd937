#include "server/session/session_read.hpp"

#include <charconv>
#include <cmath>

#include "server/session/cue.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/session_file.hpp"
#include "server/session/validate.hpp"

namespace continuo::session {
namespace {

std::optional<Error> check_format(std::uint64_t format) {
  if (format == 0) return bad("BAD_FORMAT", "format", "format must be 1 to " + std::to_string(kSessionFormat));
  if (format <= kSessionFormat) return std::nullopt;
  return bad("NEWER_FORMAT", "format",
             "the session has format " + std::to_string(format) + " and this version reads up to " +
                 std::to_string(kSessionFormat) + ": it needs a newer continuo");
}
// Sessions of older formats are brought up to date between reading and validating.
static_assert(kSessionFormat == 1, "a new format needs its migration step in parse_session(), and the old one a test");

// A newer session is likely to hold what this version does not know: that is then the lesser news.
std::optional<Error> newer_format(std::string_view text) {
  JsonReader json(text, "", true);
  std::optional<Error> newer;
  const bool read = json.object(
      [&](const std::string& key) {
        if (key != "format" || json.peek() != JsonReader::Kind::number) return json.skip();
        double format = 0.0;
        if (!json.number(format)) return false;
        if (format > kSessionFormat && format < 4294967296.0) newer = check_format(static_cast<std::uint64_t>(format));
        return !newer;
      },
      false);
  return read ? std::nullopt : newer;
}

// No type has so many; only a bound for what is kept before the type is known.
constexpr std::size_t kMaxParams = 256;

}  // namespace

void tidy_params(DocNode& node) {
  const TypeSpec* type = find_type(node.type);
  if (type == nullptr) return;
  for (auto& [name, value] : node.params) {
    if (const ParamSpec* spec = type->find(name)) value = as_choice(*spec, std::move(value));
  }
  std::erase_if(node.params, [&](const auto& param) {
    const ParamSpec* spec = type->find(param.first);
    return spec != nullptr && spec->default_value == param.second;
  });
}

bool SessionReader::unknown_field(const std::string& key, const char* known) {
  return json.fail("UNKNOWN_FIELD", "unknown key " + quoted(key) + "; there are: " + known);
}

// As protobuf's JSON has it: a 64-bit integer may come in quotes.
bool SessionReader::read_unsigned(std::uint64_t& value, std::uint64_t max) {
  double number = 0.0;
  if (json.peek() == JsonReader::Kind::string) {
    std::string text;
    if (!json.string(text)) return false;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{} || end != text.data() + text.size()) {
      return json.fail("WRONG_KIND", "expected a whole number, found " + quoted(text));
    }
  } else {
    if (!json.number(number)) return false;
    if (number < 0.0 || number != std::floor(number) || number >= 18446744073709551616.0) {
      return json.fail("OUT_OF_RANGE", "must be a whole number, 0 to " + std::to_string(max));
    }
    value = static_cast<std::uint64_t>(number);
  }
  if (value > max) return json.fail("OUT_OF_RANGE", "must be a whole number, 0 to " + std::to_string(max));
  return true;
}

// The server's to give: read, and left aside unless it was the server that wrote it.
bool SessionReader::read_uid(rt::Uid& uid) {
  std::uint64_t given = 0;
  if (!read_unsigned(given, kDeviceOutUid)) return false;
  if (keep_uids) uid = given;
  return true;
}

bool SessionReader::read_session(Document& document) {
  bool name_twice = false;
  const bool read = json.object([&](const std::string& key) {
    std::uint64_t number = 0;
    if (key == "format") {
      if (!read_unsigned(number, std::numeric_limits<std::uint32_t>::max())) return false;
      return check_format(number) ? json.fail(*check_format(number)) : true;
    }
    if (key == "name") return json.string(document.name);
    if (key == "sample_rate_hz" || key == "sampleRateHz") {
      if (std::exchange(name_twice, true)) return json.fail("DUPLICATE_KEY", "the key stands here in both spellings");
      if (!read_unsigned(number, std::numeric_limits<std::uint32_t>::max())) return false;
      document.sample_rate_hz = static_cast<std::uint32_t>(number);
      return true;
    }
    if (key == "nodes") return read_nodes(document.nodes, 1);
    if (key == "connections") {
      return json.array([&](std::size_t index) {
        if (index >= kMaxConnections) {
          return json.fail("TOO_MANY", "more than " + std::to_string(kMaxConnections) + " connections");
        }
        return read_connection(document.connections.emplace_back());
      });
    }
    if (key == "cues") return read_cues(document.cues.edit());
    return unknown_field(key, "format name sample_rate_hz nodes connections cues");
  });
  return read && json.end();
}

bool SessionReader::read_nodes(NodeList& list, std::size_t depth) {
  return json.array([&](std::size_t) {
    DocNode node;
    const bool read = read_node(node, depth);
    list.push_back(std::move(node));
    return read;
  });
}

bool SessionReader::read_node(DocNode& node, std::size_t depth) {
  if (depth > kMaxDepth) {
    return json.fail("TOO_DEEP", "nodes are nested more than " + std::to_string(kMaxDepth) + " deep");
  }
  if (++nodes > kMaxNodes) return json.fail("TOO_MANY", "more than " + std::to_string(kMaxNodes) + " nodes");
  node.uid = keep_uids ? 0 : new_uid();
  const bool read = json.object([&](const std::string& key) {
    if (key == "id") return json.string(node.id);
    if (key == "label") return json.string(node.label);
    if (key == "type") return json.string(node.type);
    if (key == "params") return read_params(node.params);
    if (key == "automation") return read_lanes(node.lanes);
    if (key == "children") return read_nodes(node.children, depth + 1);
    if (key == "queue") return read_queue(node.queue.edit());
    if (key == "uid") return read_uid(node.uid);
    return unknown_field(key, "id label type params automation queue children");
  });
  if (node.uid == 0) node.uid = new_uid();
  tidy_params(node);
  return read;
}

bool SessionReader::read_params(std::map<std::string, Value>& params) {
  return json.object(
      [&](const std::string& key) {
        if (params.contains(key)) return json.fail("DUPLICATE_KEY", "the parameter stands here twice");
        if (params.size() >= kMaxParams) return json.fail("TOO_MANY", "more parameters than any type has");
        return read_value(params[key]);
      },
      false);
}

bool SessionReader::read_value(Value& value) {
  switch (json.peek()) {
    case JsonReader::Kind::boolean:
      return json.boolean(value.emplace<bool>());
    case JsonReader::Kind::string:
      return json.string(value.emplace<std::string>());
    case JsonReader::Kind::null:
    case JsonReader::Kind::array:
    case JsonReader::Kind::object:
      return json.fail("WRONG_KIND", "a parameter's value is a number, true, false or a text");
    case JsonReader::Kind::number:
    case JsonReader::Kind::nothing:
      break;
  }
  return json.number(value.emplace<double>());
}

bool SessionReader::read_connection(DocConnection& connection) {
  bool from = false;
  bool to = false;
  bool gain = false;
  connection.uid = new_uid();
  const bool read = json.object([&](const std::string& key) {
    if (key == "from") return from = true, read_endpoint(connection.from, true);
    if (key == "to") return to = true, read_endpoint(connection.to, false);
    if (key == "gain_db" || key == "gainDb") {
      if (std::exchange(gain, true)) return json.fail("DUPLICATE_KEY", "the key stands here in both spellings");
      return json.number(connection.gain_db);
    }
    if (key == "channels") return read_channels(connection);
    return unknown_field(key, "from to gain_db channels");
  });
  if (!read) return false;
  if (!from || !to)
    return json.fail("MISSING_FIELD", std::string("a connection needs ") + (from ? "\"to\"" : "\"from\""));
  return true;
}

bool SessionReader::read_endpoint(Endpoint& endpoint, bool is_source) {
  std::string text;
  if (!json.string(text)) return false;
  const std::optional<Endpoint> parsed = parse_endpoint(text, is_source);
  if (!parsed) return json.fail("BAD_ENDPOINT", quoted(text) + " is not \"path\" or \"path:port\"");
  endpoint = *parsed;
  return true;
}

bool SessionReader::read_channels(DocConnection& connection) {
  return json.array([&](std::size_t index) {
    if (index >= kMaxChannelPairs) return json.fail("TOO_MANY", "more channel pairs than there are channels");
    auto& pair = connection.channels.emplace_back();
    return json.object([&](const std::string& key) {
      std::uint64_t channel = 0;
      if (key != "from" && key != "to") return unknown_field(key, "from to");
      if (!read_unsigned(channel, std::numeric_limits<std::uint32_t>::max())) return false;
      (key == "from" ? pair.first : pair.second) = static_cast<std::uint32_t>(channel);
      return true;
    });
  });
}

Result<Document> parse_session(std::string_view text, const UidSource& new_uid) {
  if (text.size() > kMaxSessionBytes) {
    return bad("TOO_LARGE", "",
               "the session has " + std::to_string(text.size()) + " bytes; at most " +
                   std::to_string(kMaxSessionBytes) + " are read");
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // some editors put a mark before UTF-8
  JsonReader json(text, "", true);
  Document document;
  SessionReader reader{json, new_uid};
  if (!reader.read_session(document)) return newer_format(text).value_or(json.error());
  // Before the device's nodes come in, so that errors count the nodes as the file does.
  if (const Result<> valid = validate_header(document, ""); !valid) return valid.error();
  if (const Result<> valid = validate_nodes(document.nodes, "nodes"); !valid) return valid.error();
  ensure_device_nodes(document);
  if (const Result<> valid = validate_connections(document, "connections"); !valid) return valid.error();
  for (std::size_t i = 0; i < document.cues.size(); ++i) {
    const Result<> valid = check_cue(document.cues[i], "cues[" + std::to_string(i) + "]");
    if (!valid) return valid.error();
  }
  if (const Result<> valid = check_cues(document.cues, "cues"); !valid) return valid.error();
  return document;
}

}  // namespace continuo::session
