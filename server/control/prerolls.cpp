#include "server/control/prerolls.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/base/log.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::control {

std::map<std::string, Prerolls::Wish> Prerolls::wishes() const {
  std::map<std::string, Wish> all;
  const std::set<std::string> busy = parts_.recording();
  for (const session::CompiledRecorder& recorder : parts_.graph.recorders()) {
    if (all.size() == kMaxListening) break;
    const session::DocNode* node = session::find_node(*parts_.graph.document(), recorder.path);
    if (node == nullptr || node->type != "recorder" || recorder.channels == 0) continue;
    const double seconds = session::number_of(*node, "pre_record_s");
    if (seconds <= 0.0 || session::number_of(*node, "arm") == 0.0 || busy.contains(recorder.path)) continue;
    all[recorder.path] = {seconds, recorder.channels, parts_.graph.shape().sample_rate_hz};
  }
  return all;
}

void Prerolls::look() {
  if (closed_) return;
  const std::map<std::string, Wish> wanted = wishes();
  for (auto at = listeners_.begin(); at != listeners_.end();) {
    const auto wish = wanted.find(at->first);
    const bool stays = wish != wanted.end() && wish->second == at->second.wish && at->second.error.empty();
    if (!stays) end(at->second);
    at = stays ? std::next(at) : listeners_.erase(at);
  }
  for (const auto& [path, wish] : wanted) {
    if (!listeners_.contains(path)) open(path, wish);
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
    std::shared_ptr<media::Preroll> made;
    std::string error;
    if (opened)
      made = std::move(*opened);
    else
      error = opened.error().message;
    post([this, path, id, made, error] {
      const auto found = listeners_.find(path);
      if (closed_ || found == listeners_.end() || found->second.id != id) return;
      if (!made) {
        found->second.error = error;
        log::error("{} cannot keep what is before its takes: {}", path, error);
        return parts_.failed(path, "\"" + path + "\" cannot keep what is before its takes: " + error);
      }
      found->second.preroll = made;
      parts_.jobs.add([this, path, id](const JobQueue::Finish& finish) {
        lend(path, id);
        finish();
      });
    });
  });
}

void Prerolls::lend(const std::string& path, std::uint64_t id) {
  const auto found = listeners_.find(path);
  const session::CompiledRecorder* recorder = parts_.graph.recorder(path);
  if (closed_ || found == listeners_.end() || found->second.id != id || recorder == nullptr) return;
  if (parts_.recording().contains(path)) {  // a take was quicker
    listeners_.erase(found);
    return;
  }
  Listener& listener = found->second;
  listener.recorder = recorder->ref;
  listener.lent = true;
  rt::Action action;
  action.kind = rt::Action::Kind::record_start;
  action.node = recorder->ref;
  action.sink = &listener.preroll->sink();
  drain(listener.preroll);
  Delta delta;
  delta.document = parts_.graph.document();
  delta.last.push_back(action);
  parts_.deliver(std::move(delta), {});
}

void Prerolls::drain(const std::shared_ptr<media::Preroll>& preroll) {
  everything_.push_back(preroll);
  parts_.pool.add_round([this, preroll, post = parts_.strand.poster()] {
    if (!preroll->drain()) return false;
    post([this, preroll] { std::erase(everything_, preroll); });
    return true;
  });
}

void Prerolls::end(Listener& listener) {
  if (!listener.lent) return;
  rt::Action action;
  action.kind = rt::Action::Kind::record_stop;
  action.node = listener.recorder;
  parts_.send(action);
}

std::shared_ptr<media::Preroll> Prerolls::hand_over(const session::CompiledRecorder& recorder, double rate_hz,
                                                    std::vector<rt::Action>& first) {
  const auto found = listeners_.find(recorder.path);
  if (found == listeners_.end()) return nullptr;
  const Listener listener = std::move(found->second);
  listeners_.erase(found);
  if (!listener.lent) return nullptr;
  const bool fits = listener.wish.channels == recorder.channels && listener.wish.rate_hz == rate_hz &&
                    listener.recorder == recorder.ref &&
                    !listener.preroll->sink().finished.load(std::memory_order_acquire);
  if (fits) return listener.preroll;
  rt::Action action;
  action.kind = rt::Action::Kind::record_stop;
  action.node = listener.recorder;
  first.push_back(action);
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
    const std::string error = !listener.error.empty() ? listener.error
                              : listener.preroll      ? listener.preroll->error()
                                                      : std::string();
    if (!error.empty() && all.size() < kMaxReasons)
      all.push_back(path + " cannot keep what is before its takes: " + error);
  }
  return all;
}

}  // namespace continuo::control
