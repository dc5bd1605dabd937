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
  if (op.has_place() && op.place() == 0) return bad("OUT_OF_RANGE", field + ".place", "places count from 1");
  const auto same = [&](const DocConnection& other) { return same_route(other, connection); };
  // Many come back at once, and validate() looks at them all in the end.
  if (edit.mode == EditMode::client && std::ranges::any_of(edit.document.connections, same)) {
    return make_error(ErrorKind::already_exists, "DUPLICATE_CONNECTION", field,
                      to_string(*from, true) + " is connected to " + to_string(*to, false) + " already");
  }
  connection.uid = edit.mode == EditMode::restore && op.has_uid() ? op.uid() : edit.new_uid();
  edit.connected_by[connection.uid] = index;
  v1::Connect& accepted = *edit.result.accepted.emplace_back().mutable_connect();
  accepted = op;
  accepted.set_from(to_string(*from, true));
  accepted.set_to(to_string(*to, false));
  accepted.clear_uid();
  if (edit.mode == EditMode::restore) accepted.set_uid(connection.uid);
  if (op.has_place() && (edit.connections.empty() || edit.connections.back().first < op.place() - 1)) {
    edit.connections.emplace_back(op.place() - 1, std::move(connection));
    if (edit.mode == EditMode::client) place_connections(edit);  // the next is compared with it
  } else {
    place_connections(edit);
    const std::size_t size = edit.document.connections.size();
    edit.connections.emplace_back(op.has_place() ? std::min<std::size_t>(size, op.place() - 1) : size,
                                  std::move(connection));
    place_connections(edit);
  }
  rewired(edit);
  return {};
}

void place_connections(Editing& edit) {
  if (edit.connections.empty()) return;
  std::vector<DocConnection>& all = edit.document.connections.edit();
  if (edit.connections.front().first >= all.size()) {
    for (auto& [place, connection] : edit.connections) all.push_back(std::move(connection));
  } else {
    std::vector<DocConnection> merged;
    merged.reserve(all.size() + edit.connections.size());
    auto next = edit.connections.begin();
    for (DocConnection& connection : all) {
      for (; next != edit.connections.end() && next->first <= merged.size(); ++next)
        merged.push_back(std::move(next->second));
      merged.push_back(std::move(connection));
    }
    for (; next != edit.connections.end(); ++next) merged.push_back(std::move(next->second));
    all = std::move(merged);
  }
  edit.connections.clear();
}

Result<> disconnect(Editing& edit, const v1::Disconnect& op, const std::string& field) {
  const Result<Endpoint> from = endpoint(edit.document, op.from(), true, field + ".from");
  if (!from) return from.error();
  const Result<Endpoint> to = endpoint(edit.document, op.to(), false, field + ".to");
  if (!to) return to.error();
  const auto removed = std::erase_if(edit.document.connections.edit(), [&](const DocConnection& connection) {
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
