#include "server/control/prerolls.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/base/log.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::control {

std::map<std::string, Prerolls::Wish> Prerolls::wishes() const {
  std::map<std::string, Wish> all;
  for (const session::CompiledRecorder& recorder : parts_.graph.recorders()) {
    if (all.size() == kMaxListening) break;
    const session::DocNode* node = session::find_node(*parts_.graph.document(), recorder.path);
    if (node == nullptr || node->type != "recorder" || recorder.channels == 0) continue;
    const double seconds = session::number_of(*node, "pre_record_s");
    if (seconds <= 0.0 || session::number_of(*node, "arm") == 0.0) continue;
    all[recorder.path] = {seconds, recorder.channels, parts_.graph.shape().sample_rate_hz};
  }
  return all;
}

void Prerolls::look() {
  look_again_ = false;
  if (closed_) return;
  const std::map<std::string, Wish> wanted = wishes();
  for (auto at = listeners_.begin(); at != listeners_.end();) {
    Listener& listener = at->second;
    const auto wish = wanted.find(at->first);
    // A spare one that cannot be made is tried again once it is needed.
    const bool tried = listener.error.empty() || parts_.taking(at->first) != nullptr;
    const session::CompiledRecorder* recorder = parts_.graph.recorder(at->first);
    const bool over = settle(listener) && listener.lent &&
                      (listener.preroll->sink().finished.load(std::memory_order_acquire) || recorder == nullptr ||
                       recorder->ref != listener.recorder);
    const bool stays = wish != wanted.end() && wish->second == listener.wish && tried && !over;
    if (!stays) end(listener);
    at = stays ? std::next(at) : listeners_.erase(at);
  }
  for (const auto& [path, wish] : wanted) {
    const auto found = listeners_.find(path);
    if (found == listeners_.end())
      open(path, wish);
    else if (found->second.preroll && !found->second.lent && !found->second.behind)
      made(path, found->second.id);
  }
}

void Prerolls::open(const std::string& path, const Wish& wish) {
  const std::uint64_t id = next_id_++;
  Listener listener;
  listener.id = id;
  listener.wish = wish;
  listeners_[path] = std::move(listener);
  media::PrerollRequest request{
      .folder = parts_.folder, .channels = wish.channels, .sample_rate_hz = wish.rate_hz, .seconds = wish.seconds};
  parts_.pool.post([this, path, id, request, post = parts_.strand.poster()] {
    auto opened = media::Preroll::open(request);
    std::shared_ptr<media::Preroll> circle;
    std::string error;
    if (opened)
      circle = std::move(*opened);
    else
      error = opened.error().message;
    post([this, path, id, circle, error] {
      const auto found = listeners_.find(path);
      if (closed_ || found == listeners_.end() || found->second.id != id) return;
      if (circle) {
        found->second.preroll = circle;
        return made(path, id);
      }
      found->second.error = error;
      if (parts_.taking(path) != nullptr) return;  // not missed yet
      log::error("{} cannot keep what is before its takes: {}", path, error);
      parts_.failed(path, "\"" + path + "\" cannot keep what is before its takes: " + error);
    });
  });
}

void Prerolls::made(const std::string& path, std::uint64_t id) {
  Listener& listener = listeners_.at(path);
  if (auto take = parts_.taking(path)) return stand_behind(path, listener, std::move(take));
  parts_.jobs.add([this, path, id](const JobQueue::Finish& finish) {
    lend(path, id);
    finish();
  });
}

void Prerolls::stand_behind(const std::string& path, Listener& listener, std::shared_ptr<rt::Sink> take) {
  const session::CompiledRecorder* recorder = parts_.graph.recorder(path);
  if (recorder == nullptr) return;
  listener.recorder = recorder->ref;
  drain(listener);
  take->next.store(&listener.preroll->sink(), std::memory_order_release);
  listener.behind = std::move(take);
}

bool Prerolls::settle(Listener& listener) {
  if (listener.behind == nullptr) return true;
  if (listener.behind->next.load(std::memory_order_acquire) == nullptr) {
    listener.lent = true;
  } else if (!listener.behind->finished.load(std::memory_order_acquire)) {
    return false;
  } else {
    // The audio thread let go of the take just before: nobody will look there any more.
    listener.lent = listener.behind->next.exchange(nullptr, std::memory_order_acq_rel) == nullptr;
  }
  listener.behind.reset();
  return true;
}

bool Prerolls::waits_behind(const Listener& listener) {
  return listener.behind != nullptr && listener.behind->next.load(std::memory_order_acquire) != nullptr;
}

void Prerolls::lend(const std::string& path, std::uint64_t id) {
  const auto found = listeners_.find(path);
  const session::CompiledRecorder* recorder = parts_.graph.recorder(path);
  if (closed_ || found == listeners_.end() || found->second.id != id || recorder == nullptr) return;
  Listener& listener = found->second;
  if (listener.lent || listener.behind) return;
  if (auto take = parts_.taking(path)) return stand_behind(path, listener, std::move(take));  // a take was quicker
  listener.recorder = recorder->ref;
  listener.lent = true;
  rt::Action action;
  action.kind = rt::Action::Kind::record_start;
  action.node = recorder->ref;
  action.sink = &listener.preroll->sink();
  drain(listener);
  Delta delta;
  delta.document = parts_.graph.document();
  delta.last.push_back(action);
  parts_.deliver(std::move(delta), {});
}

void Prerolls::drain(Listener& listener) {
  if (std::exchange(listener.drained, true)) return;
  everything_.push_back(listener.preroll);
  parts_.pool.add_round([this, preroll = listener.preroll, post = parts_.strand.poster()] {
    if (!preroll->drain()) return false;
    post([this, preroll] { std::erase(everything_, preroll); });
    return true;
  });
}

rt::Action Prerolls::stop_of(const Listener& listener) {
  rt::Action action;
  action.kind = rt::Action::Kind::record_stop;
  action.node = listener.recorder;
  action.sink = &listener.preroll->sink();
  return action;
}

void Prerolls::end(Listener& listener) {
  if (listener.behind) {
    listener.lent = listener.behind->next.exchange(nullptr, std::memory_order_acq_rel) == nullptr;
    listener.behind.reset();
  }
  if (listener.lent) return parts_.send(stop_of(listener));
  if (listener.preroll) listener.preroll->abandon();
}

std::shared_ptr<media::Preroll> Prerolls::hand_over(const session::CompiledRecorder& recorder, double rate_hz,
                                                    std::vector<rt::Action>& first,
                                                    const std::shared_ptr<media::PrerollGroup>& group) {
  // The next one is made while this take runs, or is about to.
  if (!std::exchange(look_again_, true)) parts_.strand.post([this] { look(); });
  const auto found = listeners_.find(recorder.path);
  if (found == listeners_.end()) return nullptr;
  Listener listener = std::move(found->second);
  listeners_.erase(found);
  if (listener.behind) {
    // A take that ends only now: what comes behind it is this one, and not a listener.
    listener.lent = listener.behind->next.exchange(nullptr, std::memory_order_acq_rel) == nullptr;
    listener.behind.reset();
  }
  const bool fits = listener.lent && listener.wish.channels == recorder.channels && listener.wish.rate_hz == rate_hz &&
                    listener.recorder == recorder.ref &&
                    !listener.preroll->sink().finished.load(std::memory_order_acquire);
  if (fits) return listener.preroll;
  if (group && listener.error.empty()) group->nothing_before();
  if (listener.lent)
    first.push_back(stop_of(listener));
  else if (listener.preroll)
    listener.preroll->abandon();
  return nullptr;
}

void Prerolls::home(const rt::Sink* sink) {
  for (const auto& preroll : everything_) {
    if (&preroll->sink() == sink) preroll->abandon();
  }
  std::erase_if(listeners_, [&](const auto& each) {
    return each.second.preroll != nullptr && &each.second.preroll->sink() == sink;
  });
}

void Prerolls::close() {
  closed_ = true;
  for (auto& [path, listener] : listeners_) end(listener);
  listeners_.clear();
}

void Prerolls::report(google::protobuf::RepeatedPtrField<v1::GetStatusResponse::PreRecord>& out) const {
  for (const auto& [path, listener] : listeners_) {
    if (waits_behind(listener) || (!listener.lent && parts_.taking(path) != nullptr)) continue;
    auto& one = *out.Add();
    one.set_node(path);
    one.set_seconds(listener.wish.seconds);
    one.set_error(listener.error);
    if (!listener.preroll) continue;
    one.set_kept_seconds(listener.preroll->kept_seconds());
    one.set_file_bytes(listener.preroll->file_bytes());
    if (listener.error.empty()) one.set_error(listener.preroll->error());
  }
}

std::vector<std::string> Prerolls::reasons() const {
  std::vector<std::string> all;
  constexpr std::size_t kMaxReasons = 5;
  for (const auto& [path, listener] : listeners_) {
    if (!listener.lent && parts_.taking(path) != nullptr) continue;
    const std::string error = !listener.error.empty() ? listener.error
                              : listener.preroll      ? listener.preroll->error()
                                                      : std::string();
    if (!error.empty() && all.size() < kMaxReasons)
      all.push_back(path + " cannot keep what is before its takes: " + error);
  }
  return all;
}

}  // namespace continuo::control
