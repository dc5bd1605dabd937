#include "server/control/param_streams.hpp"

#include <algorithm>
#include <utility>

#include "server/control/param_streams_one.hpp"
#include "server/session/names.hpp"
#include "server/session/validate.hpp"

namespace continuo::control {
namespace {

Error ending() { return make_error(ErrorKind::unavailable, "STOPPING", "", "the daemon is stopping"); }

}  // namespace

ParamStreams::~ParamStreams() {
  for (const Ptr& one : std::exchange(streams_, {})) one->client.end(ending());
}

std::shared_ptr<ParamStreams::Call> ParamStreams::open(std::string identity, Client client) {
  const std::uint64_t id = next_id_.fetch_add(1, std::memory_order_relaxed);
  const Strand::Poster post = parts_.strand.poster();
  auto stream = std::make_shared<ParamStream>(parts_.now, [this, id, post] { post([this, id] { wake(id); }); });
  post([this, id, stream, identity = std::move(identity), client = std::move(client)]() mutable {
    if (closed_) return client.end(ending());
    if (streams_.size() >= kMaxStreams) {
      return client.end(make_error(ErrorKind::resource_exhausted, "TOO_MANY_STREAMS", "",
                                   std::to_string(kMaxStreams) + " parameter streams are open: try again"));
    }
    auto one = std::make_shared<One>();
    one->id = id;
    one->stream = std::move(stream);
    one->identity = std::move(identity);
    one->client = std::move(client);
    streams_.push_back(std::move(one));
  });
  return std::shared_ptr<Call>(new Call(*this, id, std::move(stream), post));
}

void ParamStreams::Call::bind(v1::StreamParamsRequest::Bind bind,
                              std::function<void(Result<v1::StreamParamsResponse::Bound>)> done) {
  post_([&streams = streams_, id = id_, bind = std::move(bind), done = std::move(done)] {
    if (const Ptr one = streams.find(id)) streams.bind(one, bind, done);
  });
}

void ParamStreams::Call::gesture(std::function<void()> done) {
  post_([&streams = streams_, id = id_, done = std::move(done)] {
    const Ptr one = streams.find(id);
    if (!one) return;
    one->gesture_done = done;
    if (!one->stream->dirty()) return streams.gesture_begins(*one);
    one->awake = true;
    streams.look();
  });
}

void ParamStreams::Call::close() {
  if (closed_.exchange(true)) return;
  post_([&streams = streams_, id = id_] {
    const Ptr one = streams.find(id);
    if (!one) return;
    one->closed_at = Clock::now();
    one->awake = true;
    streams.look();
  });
}

ParamStreams::Ptr ParamStreams::find(std::uint64_t id) const {
  const auto found = std::ranges::lower_bound(streams_, id, {}, [](const Ptr& one) { return one->id; });
  return found == streams_.end() || (*found)->id != id ? nullptr : *found;
}

void ParamStreams::wake(std::uint64_t id) {
  const Ptr one = find(id);
  if (!one) return;
  one->awake = true;
  look();
}

void ParamStreams::bind(const Ptr& one, const v1::StreamParamsRequest::Bind& bind,
                        const std::function<void(Result<v1::StreamParamsResponse::Bound>)>& done) {
  if (const Result<> tokens = check_tokens(bind.leases()); !tokens) return done(tokens.error());
  if (one->stream->full(static_cast<std::size_t>(bind.params_size()))) {
    return done(make_error(ErrorKind::resource_exhausted, "TOO_MANY_HANDLES", "bind.params",
                           "a stream has at most " + std::to_string(ParamStream::kMaxHandles) + " handles"));
  }
  v1::StreamParamsResponse::Bound bound;
  for (int i = 0; i < bind.params_size(); ++i) {
    const Result<std::uint32_t> handle = bind_one(*one, bind.params(i), "bind.params[" + std::to_string(i) + "]");
    if (!handle) return done(handle.error());
    bound.add_handles(*handle);
  }
  if (!bind.client().empty()) one->client_name = bind.client();
  if (!bind.leases().empty()) {
    one->leases = bind.leases();
    for (Place& place : one->places) place.leases = 0;
  }
  *bound.mutable_revision() = parts_.history.revision();
  done(std::move(bound));
}

Result<std::uint32_t> ParamStreams::bind_one(One& one, const std::string& name, const std::string& field) {
  const session::Document& document = *parts_.graph.document();
  const auto parts = session::split_param(name);
  const session::DocNode* const node = parts ? session::find_node(document, parts->first) : nullptr;
  if (node == nullptr) {
    return make_error(
        ErrorKind::not_found, "UNKNOWN_NODE", field,
        "there is no node for " + session::quoted(name) + ": \"vox/eq1.freq_hz\" is a node and a parameter");
  }
  const session::ParamSpec* const spec = session::find_type(node->type)->find(parts->second);
  if (spec == nullptr) {
    Error unknown = session::unknown_param(*session::find_type(node->type), parts->second, field);
    unknown.kind = ErrorKind::not_found;
    return unknown;
  }
  if (!can_stream(*spec)) {
    return make_error(ErrorKind::failed_precondition, "STRUCTURAL", field,
                      session::quoted(name) + " is no value of the audio thread: set it by Apply");
  }
  const std::uint32_t handle = one.stream->bind(node->uid, *spec);
  if (one.stream->places() > one.places.size()) {
    Place place;
    place.path = parts->first;
    one.places.push_back(std::move(place));
  }
  return handle;
}

void ParamStreams::gesture_begins(One& one) {
  one.stream->next_gesture();
  if (const auto done = std::exchange(one.gesture_done, nullptr)) done();
}

void ParamStreams::session_loaded() {
  for (const Ptr& one : std::exchange(streams_, {})) {
    one->client.end(make_error(ErrorKind::aborted, "EPOCH_CHANGED", "",
                               "another session is loaded: open a new stream and bind its parameters"));
  }
}

void ParamStreams::close() {
  // A job under way is seen half done by nobody; what came meanwhile is lost with it.
  if (!closed_ && parts_.jobs.idle()) {
    for (const Ptr& one : streams_) drain_values(one);
  }
  closed_ = true;
  timer_.cancel();
  for (const Ptr& one : std::exchange(streams_, {})) {
    report(*one, Clock::now());
    one->client.end(ending());
  }
}

}  // namespace continuo::control
