#include <algorithm>

#include "server/session/edit_ops.hpp"
#include "server/session/names.hpp"
#include "server/session/type_tables.hpp"
#include "server/session/validate.hpp"

namespace continuo::session {
namespace {

Result<Endpoint> endpoint(const Document& document, const std::string& text, bool is_source, const std::string& field) {
  const std::optional<Endpoint> end = parse_endpoint(text, is_source);
  if (!end) return bad("BAD_ENDPOINT", field, quoted(text) + " is not \"path\" or \"path:port\"");
  if (find_node(document, end->path) == nullptr) return no_node(end->path, field);
  return *end;
}

void rewired(Editing& edit) {
  edit.result.changed = edit.result.structural = edit.audible_touched = true;
  edit.audible_ramp_ms = kSmoothingMs;
}

}  // namespace

Result<> connect(Editing& edit, const v1::Connect& op, const std::string& field, std::size_t index) {
  const Result<Endpoint> from = endpoint(edit.document, op.from(), true, field + ".from");
  if (!from) return from.error();
  const Result<Endpoint> to = endpoint(edit.document, op.to(), false, field + ".to");
  if (!to) return to.error();
  DocConnection connection{.from = *from, .to = *to, .gain_db = op.gain_db() + 0.0};
  if (static_cast<std::size_t>(op.channels_size()) > kMaxChannelPairs) {
    return bad("TOO_MANY", field + ".channels", "more channel pairs than there are channels");
  }
  for (const v1::ChannelPair& pair : op.channels()) connection.channels.emplace_back(pair.from(), pair.to());
  const FindNode find = [&](const std::string& path) { return find_node(std::as_const(edit.document), path); };
  if (const Result<> valid = validate_connection(find, connection, field); !valid) return valid.error();
  const auto same = [&](const DocConnection& other) { return same_route(other, connection); };
  if (std::any_of(edit.document.connections.begin(), edit.document.connections.end(), same)) {
    return make_error(ErrorKind::already_exists, "DUPLICATE_CONNECTION", field,
                      to_string(*from, true) + " is connected to " + to_string(*to, false) + " already");
  }
  connection.uid = edit.new_uid();
  edit.connected_by[connection.uid] = index;
  v1::Connect& accepted = *edit.result.accepted.emplace_back().mutable_connect();
  accepted = op;
  accepted.set_from(to_string(*from, true));
  accepted.set_to(to_string(*to, false));
  edit.document.connections.push_back(std::move(connection));
  rewired(edit);
  return {};
}

Result<> disconnect(Editing& edit, const v1::Disconnect& op, const std::string& field) {
  const Result<Endpoint> from = endpoint(edit.document, op.from(), true, field + ".from");
  if (!from) return from.error();
  const Result<Endpoint> to = endpoint(edit.document, op.to(), false, field + ".to");
  if (!to) return to.error();
  const auto removed = std::erase_if(edit.document.connections, [&](const DocConnection& connection) {
    return connection.from == *from && connection.to == *to;
  });
  if (removed == 0) {
    return make_error(ErrorKind::not_found, "UNKNOWN_CONNECTION", field,
                      to_string(*from, true) + " is not connected to " + to_string(*to, false));
  }
  v1::Disconnect& accepted = *edit.result.accepted.emplace_back().mutable_disconnect();
  accepted.set_from(to_string(*from, true));
  accepted.set_to(to_string(*to, false));
  rewired(edit);
  return {};
}

}  // namespace continuo::session
