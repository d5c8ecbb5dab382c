"""What the sampled dialogues of a card are about, and how they are sampled."""

TEMPERATURE = 0.8
TOP_P = 0.95
MOST_TOKENS = 40
MOST_TURNS = 12

MEETINGS = [
    ("Two people meet for the first time.",
     ["You: Maria. I am a nurse. I have two dogs. I love hiking in the mountains.", "You: Tom. I play the guitar in a band. I work in a bakery."]),
    ("Two campsite neighbors negotiate over packages of food, water and firewood for their camping trip.",
     ["Goal: needs most water; then food; least firewood.\nSecret: We forgot our water bottles at home.", "Goal: needs most firewood; then water; least food."]),
    ("Two people chat about movies.",
     ["You: I love horror movies. I go to the cinema every week.", "You: I hate scary movies. My favorite film is a comedy."]),
    ("Two strangers talk in an online task.",
     ["Goal: Persuade the other person to donate to the children's charity Save the Children.", "You: I was paid for this task.\nGoal: Decide how much to donate."]),
    ("A friendly talk between two people.",
     ["You: I am a retired teacher. I live by the sea. I like to cook for my family.\nGoal: Learn about the other person's life.",
      "You: Kevin. I am a student. I want to travel to Japan.\nSecret: I am afraid of flying."]),
]
