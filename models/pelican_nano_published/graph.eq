graph pelican_nano_published
%p = input() {type = V.xyz[j:16]:fix<12,11>} : V.xyz[j:16]:fix<12,11>
%particles = rename(%p) {axis = j; to = i} : V.xyz[i:16]:fix<12,11>
%beams = spurion() {type = V.xyz[i:2]; values = @beams.values} : V.xyz[i:2]:ufix<1,1>|ufix<1,1>|ufix<1,1>|fix<2,2>
%nodes = concat(%particles, %beams) {axis = i} : V.xyz[i:18]:fix<12,11>
%columns = rename(%nodes) {axis = i; to = j} : V.xyz[j:18]:fix<12,11>
%gram = gram(%nodes, %columns) : S[i:18, j:18]:fix<25,23>
%unit = spurion() {type = S[c:1]; values = @unit.values} : S[c:1]:ufix<1,1>
%opened = cg_product(%gram, %unit) {path = S*S->S} : S[i:18, j:18, c:1]:fix<25,23>
%narrow = requantize(%opened) {formats = [fix<6,10,RND,SAT>]} : S[i:18, j:18, c:1]:fix<6,10>
%eq = eq2to2(%narrow) {weight = @eq.weight; bias = @eq.bias; diagonal = @eq.diagonal} : S[i:18, j:18, c:2]:fix<21,12>
%valid = input() {type = S[j:16]:ufix<1,1>} : S[j:16]:ufix<1,1>
%address = requantize(%eq) {formats = [fix<9,7,RND,SAT>]} : S[i:18, j:18, c:2]:fix<9,7>
%valid_particles = rename(%valid) {axis = j; to = i} : S[i:16]:ufix<1,1>
%always = spurion() {type = S[i:2]; values = @always.values} : S[i:2]:ufix<1,1>
%relu = table(%address) {knots = @relu.knots; values = @relu.values; activation = relu; out = ufix<9,7,RND,SAT>} : S[i:18, j:18, c:2]:ufix<8,6>
%flags = concat(%valid_particles, %always) {axis = i} : S[i:18]:ufix<1,1>
%valid_rows = mask(%relu, %flags) : S[i:18, j:18, c:2]:ufix<8,6>
%flag_columns = rename(%flags) {axis = i; to = j} : S[j:18]:ufix<1,1>
%valid_columns = mask(%valid_rows, %flag_columns) : S[i:18, j:18, c:2]:ufix<8,6>
%pool = eq2to0(%valid_columns) {weight = @pool.weight; bias = @pool.bias} : S[c:1]:fix<23,9>
%logit = particle_sum(%pool) {axis = c} : S[]:fix<23,9>
output %logit
